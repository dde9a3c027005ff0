/** The page about the canvas: shows the text of one language. Without this it is English. */
import { language } from "../words/language";

document.documentElement.lang = language;
for (const text of document.querySelectorAll<HTMLElement>("body [lang]")) {
  text.hidden = text.lang !== language;
  if (!text.hidden && text.dataset.title) document.title = text.dataset.title;
}
