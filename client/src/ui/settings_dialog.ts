/** Settings and shortcuts. */
import { element } from "../browser/element";
import { applyTheme, cleanName, type Preferences, savePreferences, THEMES } from "../storage/preferences";

export class SettingsDialog {
  private readonly dialog = element("settings", HTMLDialogElement);

  /** `changed` is called with the preferences, which are changed in place. */
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
    element("settings-close", HTMLButtonElement).addEventListener("click", () => this.dialog.close());
    // A click beside it closes it: there the dialog itself is hit, and nothing in it.
    this.dialog.addEventListener("click", (event) => {
      if (event.target === this.dialog) this.dialog.close();
    });
    this.dialog.addEventListener("change", () => {
      const before = preferences.language;
      preferences.name = cleanName(name.value);
      preferences.cursors = cursors.checked;
      preferences.theme = THEMES.find((each) => each === theme.value) ?? "auto";
      preferences.language = language.value;
      name.value = preferences.name; // what others see, and nothing else
      savePreferences(preferences);
      applyTheme(preferences.theme);
      changed(preferences);
      // Everything on the page is in the language that it began with.
      if (preferences.language !== before) location.reload();
    });
  }

  open(): void {
    if (!this.dialog.open) this.dialog.showModal();
  }
}
