/**
 * Numbers in sentences: what is counted stands in the form that the language has for the number.
 */

/**
 * The forms of a word by the kind of number. `other` is needed in every language.
 */
export type Forms = Partial<Record<Intl.LDMLPluralRule, string>> & { readonly other: string };

export class Counting {
  private readonly number: Intl.NumberFormat;
  private readonly rules: Intl.PluralRules;

  constructor(language: string) {
    this.number = new Intl.NumberFormat(language);
    this.rules = new Intl.PluralRules(language);
  }

  /** Writes a number as the language does: `1,234`. */
  write(count: number): string {
    return this.number.format(count);
  }

  /** Returns the form that goes with a number. */
  form(count: number, forms: Forms): string {
    return forms[this.rules.select(count)] ?? forms.other;
  }

  /** Writes a number and what is counted: `1 dab`, `1,234 dabs`. */
  of(count: number, one: string, other: string): string {
    return `${this.write(count)} ${this.form(count, { one, other })}`;
  }
}
