/** The page about the canvas: shows the text of one language. Without this it is English. */
import { language } from "../words/language";

const TITLES = { en: "About · Dreamcanvas", de: "Über Dreamcanvas" };

document.documentElement.lang = language;
document.title = TITLES[language];
for (const text of document.querySelectorAll<HTMLElement>("body [lang]"))
  text.hidden = text.lang !== language;
