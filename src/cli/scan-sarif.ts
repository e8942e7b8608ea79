/**
 * An answer as a SARIF log 2.1.0 (OASIS sarif-v2.1.0). What matches is a result of kind `fail`, what nobody can tell one of
 * kind `open` (3.27.9: the question was asked, and there was not enough to answer it): unknown is in the output, never
 * left out. A result names the image as a logical location, and the path in it as a physical one.
 */
import { lazaretVersion } from '../lib/version.ts';
import { isFed, type ScanAnswer } from './scan-text.ts';
import { exceptedText } from './words.ts';

type Result = ScanAnswer['images'][number];
type Found = Result['evidence'][number];
type Level = 'error' | 'warning' | 'note' | 'none';

export function sarifLog(answer: ScanAnswer): unknown {
  const results = answer.images.flatMap((image) => imageResults(image, answer.question));
  const rules = [...new Set(results.map(({ ruleId }) => ruleId))];
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'Lazaret',
            version: lazaretVersion,
            rules: rules.map((id) => ({ id, shortDescription: { text: ruleText(id) } })),
          },
        },
        automationDetails: { id: answer.name },
        invocations: [invocation(answer)],
        results: results.map((result) => ({ ...result, ruleIndex: rules.indexOf(result.ruleId) })),
        properties: { question: answer.question, counts: answer.counts, covers: answer.covers },
      },
    ],
  };
}

/** Says, too, what stands in the way of a complete answer. */
function invocation({ covers, counts, answeredAt, tookMs }: ScanAnswer) {
  const notes = [
    ...(isFed(covers.advisorySources)
      ? []
      : ['no advisories were loaded; load some with: lazaret advisory import FILE']),
    ...covers.advisorySources.flatMap(sourceNotes),
    ...(counts.unknown > 0 ? [`${counts.unknown} images are unknown, which is not clean`] : []),
    ...covers.excepted.by.map((one) => `${one.images} images have ${one.advisory} ${exceptedText(one)}`),
    ...(covers.images === 0 ? ['no image is in scope, so nothing is known of any'] : []),
    ...(covers.truncated ? ['more images were found than are listed'] : []),
  ];
  return {
    executionSuccessful: true,
    startTimeUtc: new Date(answeredAt).toISOString(),
    endTimeUtc: new Date(answeredAt + tookMs).toISOString(),
    toolExecutionNotifications: notes.map((text) => ({ level: 'warning', message: { text } })),
  };
}

type Source = ScanAnswer['covers']['advisorySources'][number];

function sourceNotes({ source, importedAt, unreadable = 0, error = null }: Source): string[] {
  return [
    ...(importedAt === null ? [`${source} was never loaded`] : []),
    ...(unreadable > 0 ? [`${unreadable} documents of ${source} can’t be read`] : []),
    ...(error === null ? [] : [`the last fetch of ${source} failed: ${error}`]),
  ];
}

function imageResults(image: Result, question: string) {
  if (image.verdict === 'unknown')
    return [result(image, { ruleId: 'unknown', level: 'none', text: image.reason ?? 'it was unknown' })];
  if (image.evidence.length === 0)
    return [result(image, { ruleId: 'image', level: 'warning', text: question })];
  return image.evidence.map((found) =>
    result(image, { ruleId: ruleOf(found), level: levelOf(found), text: foundText(found), found }),
  );
}

function result(image: Result, of: { ruleId: string; level: Level; text: string; found?: Found }) {
  const name = `${image.repository}@${image.digest}`;
  const tags = image.above.tags.map(({ tag }) => tag);
  return {
    ruleId: of.ruleId,
    kind: image.verdict === 'unknown' ? 'open' : 'fail',
    level: of.level,
    message: { text: `${image.repository}${tags.length > 0 ? `:${tags.join(',')}` : ''}: ${of.text}` },
    locations: [
      {
        ...(of.found ? physicalOf(of.found) : {}),
        logicalLocations: [{ fullyQualifiedName: name, kind: 'resource' }],
      },
    ],
    properties: {
      tags,
      platform: image.platform,
      layer: of.found?.layer ?? null,
      containers: image.above.containers.map(({ uid, region }) => ({ uid, region })),
    },
  };
}

function physicalOf({ path, line }: Found) {
  if (path === null || path === '') return {};
  const uri = path.split('/').map(encodeURIComponent).join('/');
  const region = line === undefined ? {} : { region: { startLine: line } };
  return { physicalLocation: { artifactLocation: { uri }, ...region } };
}

function ruleOf({ advisory, secret, malware, purl, layer }: Found): string {
  if (advisory !== null) return advisory;
  if (secret !== undefined) return `secret/${secret}`;
  if (malware !== undefined) return `malware/${malware}`;
  if (purl !== null) return 'package';
  return layer === null ? 'image' : 'file';
}

function ruleText(id: string): string {
  const texts: Readonly<Record<string, string>> = {
    unknown: 'nobody can tell whether the image matches',
    package: 'the image has a package that was asked for',
    file: 'the image has a file that was asked for',
    image: 'the image as a whole matches',
  };
  if (Object.hasOwn(texts, id)) return texts[id] ?? id;
  if (id.startsWith('malware/')) return `malware of signature ${id.slice(8)}`;
  return id.startsWith('secret/') ? `a secret of kind ${id.slice(7)}` : `the advisory ${id} applies`;
}

function foundText({ purl, advisory, severity, fixedVersion, secret, malware, path }: Found): string {
  const what = [purl, advisory, secret, malware]
    .filter((part) => part !== null && part !== undefined)
    .join(' ');
  const fix = fixedVersion === null ? '' : `, fixed in ${fixedVersion}`;
  return `${what === '' ? (path ?? 'matches') : what}${severity === null ? '' : ` (${severity})`}${fix}`;
}

function levelOf({ severity, secret, malware }: Found): Level {
  if (secret !== undefined || malware !== undefined) return 'error';
  if (severity === 'critical' || severity === 'high') return 'error';
  return severity === 'low' || severity === 'none' ? 'note' : 'warning';
}
