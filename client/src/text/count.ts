/**
 * Numbers in sentences: what is counted stands in the form that the language has for the number.
 */

/**
 * The forms of a word; a language that has more than two is told by the compiler where its are
 * missing.
 */
export type Forms = Partial<Record<Intl.LDMLPluralRule, string>> & { readonly other: string };

export class Counting {
  private readonly number: Intl.NumberFormat;
  private readonly rules: Intl.PluralRules;

  constructor(language: string) {
    this.number = new Intl.NumberFormat(language);
    this.rules = new Intl.PluralRules(language);
  }

  /** `1,234`, as the language writes it. */
  write(count: number): string {
    return this.number.format(count);
  }

  /** The form that goes with a number. */
  form(count: number, forms: Forms): string {
    return forms[this.rules.select(count)] ?? forms.other;
  }

  /** The number and what is counted: `1 dab`, `1,234 dabs`. */
  of(count: number, one: string, other: string): string {
    return `${this.write(count)} ${this.form(count, { one, other })}`;
  }
}
