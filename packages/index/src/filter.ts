/**
 * A condition on metadata. A path names a field, `.`-separated for nested ones (own properties only). A missing field
 * satisfies nothing but `exists: false` and `not`. Values compare with their own type only: no coercion. A list satisfies a
 * condition where one of its elements does, all bounds of a range together.
 */
export type Filter =
  | { field: string; equals: string | number | boolean | null }
  | { field: string; in: readonly (string | number | boolean | null)[] }
  | {
      field: string;
      gt?: number | string;
      gte?: number | string;
      lt?: number | string;
      lte?: number | string;
    }
  | { field: string; exists: boolean }
  | { and: readonly Filter[] }
  | { or: readonly Filter[] }
  | { not: Filter };
