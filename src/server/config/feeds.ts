import type { AdvisoryFeed } from '../../actions/match/feed-source.ts';
import { parseDuration } from '../../lib/duration.ts';
import { LazaretError } from '../../lib/errors.ts';
import type { Field } from '../../lib/fields.ts';
import { limits } from '../../lib/limits.ts';
import { jsonList } from './json-list.ts';

const feedsMax = 100;
const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** @throws configInvalid */
export function feedsOf(field: Field): readonly AdvisoryFeed[] {
  const list = typeof field.value === 'string' ? jsonList(field) : field;
  const feeds = list.items(feedsMax).map((item): AdvisoryFeed => {
    item.keys(['name', 'url', 'every']);
    const name = item.member('name').text();
    if (!namePattern.test(name)) throw item.member('name').error(`'${name}' is not the name of a source`);
    return { name, url: urlOf(item.member('url')), everyMs: everyOf(item.optional('every')) };
  });
  const names = feeds.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw field.error(`the source '${twice}' is named twice`);
  return feeds;
}

function urlOf(field: Field): string {
  const text = field.text(2_048);
  if (URL.canParse(text) && /^https?:\/\//.test(text)) return text;
  throw field.error("must begin with 'http://' or 'https://'");
}

function everyOf(field: Field | undefined): number {
  if (field === undefined) return 60 * 60_000;
  try {
    const everyMs = parseDuration(field.text(), field.path);
    if (everyMs >= limits.feedIntervalMinMs) return everyMs;
  } catch (cause) {
    if (!(cause instanceof LazaretError)) throw cause;
    throw field.error('must be a duration such as 1h', { cause });
  }
  throw field.error('must be at least 1m');
}
