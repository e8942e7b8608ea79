import { tokenScheme } from './tokens.ts';

/** Numbers alone, of which a longer list is newer than its beginning: `1.0` is before `1.0.0`. */
function dottedScheme(of: { ecosystem: string; purlType: string; form: RegExp }) {
  return tokenScheme({
    ...of,
    parse: (version) =>
      of.form.test(version) ? version.split(/[.-]/).map((number) => ({ rank: 1, number })) : undefined,
  });
}

/** R's package_version. */
export const cranScheme = dottedScheme({
  ecosystem: 'CRAN',
  purlType: 'cran',
  form: /^\d+(?:[.-]\d+)*$/,
});

/** The Haskell Package Versioning Policy. */
export const hackageScheme = dottedScheme({
  ecosystem: 'Hackage',
  purlType: 'hackage',
  form: /^\d+(?:\.\d+)*$/,
});
