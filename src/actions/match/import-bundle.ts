/**
 * A bundle of `advisory export`: lines of JSON. The first says what it is; a line `{"source": …}` says of whom the lines
 * after it are; the last one counts them, so that a bundle that was cut off is known as such.
 */
import { isDamaged } from '../../lib/decompressed.ts';
import { LazaretError } from '../../lib/errors.ts';
import { type Field, parseJsonField } from '../../lib/fields.ts';
import { limits } from '../../lib/limits.ts';
import type { ByteSource } from '../../lib/streams.ts';
import { textLines } from '../../lib/text-lines.ts';
import type { KnownExploited } from '../../records/advisories/exploits.ts';
import type { Database } from '../../records/db/database.ts';
import { readOsvDocument } from '../../versions/osv/read-documents.ts';
import {
  type BrokenDocument,
  DocumentImport,
  type ImportedDocuments,
  type ImportOf,
} from './import-advisories.ts';
import { keepExploited, ScoreImport } from './import-exploits.ts';

/** Takes the lines of one source. */
interface Part {
  take(line: string, where: string): Promise<void>;
  end(): Promise<ImportedDocuments>;
}

const lineMax = limits.advisoryBytesMax * 2;

/** @throws invalid when it is cut off or broken: the parts before have been imported */
export async function importBundle(
  database: Database,
  text: ByteSource,
  of: ImportOf,
): Promise<ImportedDocuments> {
  const ended: ImportedDocuments[] = [];
  let part: Part | undefined;
  let lines = 0;
  try {
    for await (const line of textLines(text, lineMax)) {
      lines += 1;
      const control = controlOf(line, lines);
      if (control === undefined) await part?.take(line, `line ${lines}`);
      else {
        if (part) ended.push(await part.end());
        part = control.kind === 'source' ? partOf(database, control.field, of) : undefined;
        if (control.kind === 'end') return allOf(ended, control.field.member('lines').count(), lines);
      }
    }
  } catch (cause) {
    if (!isDamaged(cause)) throw cause;
    throw new LazaretError('invalid', 'the compressed bytes of the bundle are damaged or cut off', { cause });
  }
  throw new LazaretError('invalid', `the bundle is cut off after line ${lines}`);
}

/** Documents have an id; what is between them does not begin so. */
function controlOf(
  line: string,
  number: number,
): { readonly kind: 'start' | 'source' | 'end'; readonly field: Field } | undefined {
  const kind = /^\{"(bundle|source|end)":/.exec(line)?.[1];
  if (kind === undefined) return undefined;
  const field = parseJsonField(Buffer.from(line), `line ${number}`);
  return { kind: kind === 'bundle' ? 'start' : kind === 'source' ? 'source' : 'end', field };
}

function partOf(database: Database, field: Field, of: ImportOf): Part {
  const source = field.member('source').text(64);
  const part: ImportOf = { ...of, source, file: '', loadedAt: field.member('importedAt').count() };
  const kind = field.member('kind').oneOf(['osv', 'kev', 'epss']);
  if (kind === 'osv') return osvPart(new DocumentImport(database, part));
  if (kind === 'epss') return scorePart(new ScoreImport(database, part));
  const entries: KnownExploited[] = [];
  return {
    take: async (line, where) => void entries.push(exploitedOf(parseJsonField(Buffer.from(line), where))),
    end: () => keepExploited(database, entries, part),
  };
}

function osvPart(importing: DocumentImport): Part {
  return {
    take: async (line, where) => {
      const unreadable = /^\{"broken":/.test(line) ? parseJsonField(Buffer.from(line), where) : undefined;
      await importing.take(
        unreadable
          ? brokenReading(unreadable.member('broken'))
          : readOsvDocument({ where, bytes: Buffer.from(line) }),
      );
    },
    end: () => importing.end(),
  };
}

function scorePart(importing: ScoreImport): Part {
  return {
    take: async (line, where) => {
      const [cve, score, percentile] = parseJsonField(Buffer.from(line), where).items(3);
      if (!cve || typeof score?.value !== 'number' || typeof percentile?.value !== 'number')
        throw new LazaretError('invalid', `${where}: must be a CVE, its score and its percentile`);
      await importing.take({ cve: cve.text(64), score: score.value, percentile: percentile.value });
    },
    end: () => importing.end(),
  };
}

/** What the site that exported it could not read stays unknown here. */
function brokenReading(field: Field) {
  const id = field.member('id').value;
  const packages = field.member('packages').items(1_000);
  return {
    ok: false,
    where: field.member('place').string(),
    error: new LazaretError('invalid', field.member('reason').string()),
    salvaged: {
      id: typeof id === 'string' ? id : undefined,
      // A bundle of before has none.
      names:
        field
          .optional('names')
          ?.items(1_000)
          .map((name) => name.string(1_024)) ?? [],
      packages: packages.map((one) => ({
        ecosystem: one.member('ecosystem').text(256),
        name: one.member('name').text(1_024),
      })),
    },
  } as const;
}

function exploitedOf(field: Field): KnownExploited {
  return {
    cve: field.member('cve').text(64),
    addedOn: field.member('addedOn').text(32),
    dueOn: field.optionalOrNull('dueOn')?.string(32) ?? null,
    ransomware: field.member('ransomware').boolean(),
    name: field.member('name').string(1_024),
  };
}

function allOf(parts: readonly ImportedDocuments[], stated: number, lines: number): ImportedDocuments {
  if (stated !== lines)
    throw new LazaretError('invalid', `the bundle has ${lines} lines and not ${stated}, as it says`);
  const count = (of: (part: ImportedDocuments) => number) =>
    parts.reduce((total, part) => total + of(part), 0);
  const broken: readonly BrokenDocument[] = parts.flatMap((part) => part.broken).slice(0, limits.apiPageMax);
  return {
    read: count(({ read }) => read),
    changed: count(({ changed }) => changed),
    unchanged: count(({ unchanged }) => unchanged),
    withdrawn: count(({ withdrawn }) => withdrawn),
    brokenCount: count(({ brokenCount }) => brokenCount),
    broken,
    findings: { new: count(({ findings }) => findings.new), ended: count(({ findings }) => findings.ended) },
  };
}
