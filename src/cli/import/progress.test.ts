import { expect, it } from 'vitest';
import { ManualClock } from '../../lib/clock.ts';
import { digestOf } from '../../oci/digest.ts';
import { ImportProgress } from './progress.ts';

const manifest = {
  digest: digestOf('m'),
  kind: 'manifest',
  mediaType: '',
  bytes: undefined,
  there: false,
  refused: undefined,
  blobs: [],
  children: [],
  tags: ['1', 'latest'],
} as const;

function shown(terminal: boolean, quiet = false) {
  const clock = new ManualClock();
  const lines: string[] = [];
  const notes: string[] = [];
  const io = {
    note: (line: string) => void notes.push(line),
    ...(terminal ? { status: (line: string) => void lines.push(line) } : {}),
  };
  return { clock, lines, notes, progress: new ImportProgress({ io, clock, quiet }) };
}

it('a person sees how much has come, how fast, and how long it will take', () => {
  const { clock, lines, notes, progress } = shown(true);
  progress.begin({ sizeBytes: 100_000_000, blobs: 3 });
  clock.advance(1_000);
  progress.position(digestOf('a'), 10_000_000);
  expect(lines).toEqual(['0 of 3 blobs · 10.0 MB of 100 MB · 10.0 MB/s · 9 s left']);
  clock.advance(100);
  progress.position(digestOf('a'), 11_000_000);
  expect(lines).toHaveLength(1);
  clock.advance(900);
  progress.blobDone(digestOf('a'), 15_000_000);
  expect(lines.at(-1)).toBe('1 of 3 blobs · 15.0 MB of 100 MB · 7.50 MB/s · 12 s left');
  progress.imageDone('acme/shop', { ...manifest, tags: [...manifest.tags] }, undefined);
  progress.end();
  expect(lines.at(-1)).toBe('');
  expect(notes).toEqual([]);
});

it('a log gets one line per tag, or none', () => {
  const { notes, progress } = shown(false);
  progress.position(digestOf('a'), 1);
  const image = { ...manifest, tags: [...manifest.tags] };
  progress.imageDone('acme/shop', image, undefined);
  progress.imageDone('acme/shop', { ...image, tags: [] }, { lack: 'failed', reason: 'no answer' });
  expect(notes).toEqual([
    'acme/shop:1  copied',
    'acme/shop:latest  copied',
    expect.stringMatching(/^acme\/shop@sha256:\w{12} {2}failed: no answer$/),
  ]);
  const quiet = shown(false, true);
  quiet.progress.imageDone('acme/shop', image, undefined);
  expect(quiet.notes).toEqual([]);
});
