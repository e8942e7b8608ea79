import { type Token, tokenScheme } from './tokens.ts';

/**
 * NuGet: SemVer 2 with up to four numbers, of which the missing ones are 0, and pre-releases in any case. What follows `+`
 * counts for nothing.
 */
export const nugetScheme = tokenScheme({
  ecosystem: 'NuGet',
  purlType: 'nuget',
  parse: (version) => {
    const match = /^(\d+(?:\.\d+){0,3})(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/.exec(version);
    if (match?.[1] === undefined) return undefined;
    const numbers = [...match[1].split('.'), '0', '0', '0'].slice(0, 4);
    return [...numbers.map((number) => ({ rank: rank.number, number })), ...preRelease(match[2])];
  },
});

const rank = { number: 1, text: 2, released: 3 } as const;

function preRelease(labels: string | undefined): readonly Token[] {
  if (labels === undefined) return [{ rank: rank.released }];
  return labels
    .toLowerCase()
    .split('.')
    .map((label) =>
      /^\d+$/.test(label) ? { rank: rank.number, number: label } : { rank: rank.text, text: label },
    );
}
