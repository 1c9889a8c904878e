/** Whether a value from the other side is a T. Never throws, whatever it is given. */
export type Shape<T> = (value: unknown) => value is T;

/** What a shape accepts. */
export type Shaped<S> = S extends Shape<infer T> ? T : never;

/** A field that may be absent. */
export interface OptionalField<T> {
  readonly optional: Shape<T>;
}

type Field = Shape<unknown> | OptionalField<unknown>;
type Fields = Readonly<Record<string, Field>>;
type Simplify<T> = { readonly [K in keyof T]: T[K] };
type FieldsOf<F extends Fields> = Simplify<
  { readonly [K in keyof F as F[K] extends Shape<unknown> ? K : never]: Shaped<F[K]> } & {
    readonly [K in keyof F as F[K] extends OptionalField<unknown> ? K : never]?: F[K] extends OptionalField<infer T>
      ? T
      : never;
  }
>;

/** A string of at most so many UTF-16 units. */
export function text<T extends string = string>(lengthMax: number): Shape<T> {
  return (value): value is T => typeof value === "string" && value.length <= lengthMax;
}

/** Lower-case hex of exactly so many bytes. */
export function hex<T extends string = string>(bytes: number): Shape<T> {
  const pattern = new RegExp(`^[0-9a-f]{${bytes * 2}}$`);
  return (value): value is T => typeof value === "string" && pattern.test(value);
}

/** A finite number. */
export function number<T extends number = number>(): Shape<T> {
  return (value): value is T => typeof value === "number" && Number.isFinite(value);
}

/** A whole number from 0. */
export function count(max: number = Number.MAX_SAFE_INTEGER): Shape<number> {
  return (value): value is number => Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= max;
}

/** True or false. */
export const flag: Shape<boolean> = (value): value is boolean => typeof value === "boolean";

/** Null, or what the shape accepts. */
export function nullable<T>(shape: Shape<T>): Shape<T | null> {
  return (value): value is T | null => value === null || shape(value);
}

/** One of some words. */
export function oneOf<const T extends string>(...words: readonly T[]): Shape<T> {
  const known: ReadonlySet<unknown> = new Set(words);
  return (value): value is T => known.has(value);
}

/** An array of at most so many of one shape. */
export function list<T>(shape: Shape<T>, lengthMax: number): Shape<readonly T[]> {
  return (value): value is readonly T[] => Array.isArray(value) && value.length <= lengthMax && value.every(shape);
}

/** An array with one shape for each place. */
export function tuple<const T extends readonly unknown[]>(...shapes: { [K in keyof T]: Shape<T[K]> }): Shape<T> {
  return (value): value is T =>
    Array.isArray(value) && value.length === shapes.length && shapes.every((shape, index) => shape(value[index]));
}

/** A plain object used as a table: at most so many keys of at most so many characters. */
export function table<T>(shape: Shape<T>, keysMax: number): Shape<Readonly<Record<string, T>>> {
  return (value): value is Readonly<Record<string, T>> => {
    if (!isPlain(value)) return false;
    const entries = Object.entries(value);
    return entries.length <= keysMax && entries.every(([key, one]) => key.length <= keyCharactersMax && shape(one));
  };
}

/** Names of counters; nothing we count has a longer one. */
const keyCharactersMax = 64;

/** Marks a field of `object` that may be absent. */
export function optional<T>(shape: Shape<T>): OptionalField<T> {
  return { optional: shape };
}

/** An object with these fields and no others: what comes from a window. */
export function exact<const F extends Fields>(fields: F): Shape<FieldsOf<F>> {
  const inner = object(fields);
  return (value): value is FieldsOf<F> =>
    isPlain(value) && Object.keys(value).every((key) => Object.hasOwn(fields, key)) && inner(value);
}

/** An object with at least these fields. */
export function object<const F extends Fields>(fields: F): Shape<FieldsOf<F>> {
  const names = Object.entries(fields);
  return (value): value is FieldsOf<F> => {
    if (!isPlain(value)) return false;
    return names.every(([name, field]) => {
      const own: unknown = Object.hasOwn(value, name) ? value[name] : undefined;
      return typeof field === "function" ? field(own) : own === undefined || field.optional(own);
    });
  };
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
