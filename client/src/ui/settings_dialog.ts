/** The dialog with the visitor's preferences and the list of shortcuts. */
import { element } from "../browser/dom";
import {
  applyTheme,
  cleanName,
  type Preferences,
  savePreferences,
  THEMES,
} from "../storage/preferences";

export class SettingsDialog {
  private readonly dialog = element("settings", HTMLDialogElement);

  /** `changed` is called with what the visitor chose. */
  constructor(preferences: Preferences, changed: (preferences: Preferences) => void) {
    const name = element("name", HTMLInputElement);
    const cursors = element("show-cursors", HTMLInputElement);
    const theme = element("theme", HTMLSelectElement);
    const language = element("language", HTMLSelectElement);
    name.value = preferences.name;
    cursors.checked = preferences.cursors;
    theme.value = preferences.theme;
    language.value = preferences.language;
    element("more", HTMLButtonElement).addEventListener("click", () => this.open());
    element("settings-close", HTMLButtonElement).addEventListener("click", () =>
      this.dialog.close(),
    );
    // A click beside the dialog's box hits its backdrop, which counts as the dialog itself.
    this.dialog.addEventListener("click", (event) => {
      if (event.target === this.dialog) this.dialog.close();
    });
    this.dialog.addEventListener("change", () => {
      const chosen: Preferences = {
        name: cleanName(name.value),
        cursors: cursors.checked,
        theme: THEMES.find((each) => each === theme.value) ?? "auto",
        language: language.value,
      };
      name.value = chosen.name; // what others see, and nothing else
      savePreferences(chosen);
      applyTheme(chosen.theme);
      changed(chosen);
      // Everything on the page is in the language that it began with.
      if (chosen.language !== preferences.language) location.reload();
    });
  }

  open(): void {
    if (!this.dialog.open) this.dialog.showModal();
  }
}
