/** Shannon's, in bits per character. */
export function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}

/** Variables of shells, templates and formats, masks, and what documentation asks its reader to put in. */
const stand =
  /[$%{][{(A-Za-z_]|\{\}|%[sdv@]|<[A-Za-z_ -]{1,60}>|\*{3}|\.{3}|x{5}|X{5}|0{8}|changeme|change[-_ ]?(?:me|it|this)|place[-_ ]?holder|redacted|your[-_ ]?|insert[-_ ]|replace[-_ ]?(?:me|this|with)|dummy|notreal|not[-_]a[-_]|process\.env|os\.environ|getenv|1234567890|abcdefgh/i;

/** What stands where a value is to be put in is no secret. Words that only mean "example" are left: people use them. */
export function isPlaceholder(value: string): boolean {
  return stand.test(value);
}

const passwordWords =
  /^(?:(?:my|the|a|some|new|old|db|user|admin|root|test|super)?[-_ .]?(?:pass(?:word|wd|phrase|code)?|pwd?|secret|token|auth|key|credentials?|user(?:name)?|login|admin|root|test|guest|demo|example|sample|foo|bar|baz|value|string|none|null|nil|true|false|undefined|default|empty|disabled|required|hidden|hunter2|letmein|qwerty|postgres|mysql|redis|rabbitmq|mongo|minio)[-_ .]?(?:\d{0,4}|here|word|value)?)+$/i;

/** A password that somebody chose and means: no word that says what belongs there, nor a variable. */
export function isPassword(value: string): boolean {
  return value.length >= 6 && entropy(value) >= 2 && !isPlaceholder(value) && !passwordWords.test(value);
}
