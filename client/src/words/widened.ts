/**
 * Any messages of the same names that take the same arguments: the type of a translation. One that
 * is missing does not compile.
 */
export type Widened<T> = {
  readonly [K in keyof T]: T[K] extends string
    ? string
    : T[K] extends (...values: infer V) => string
      ? (...values: V) => string
      : Widened<T[K]>;
};
