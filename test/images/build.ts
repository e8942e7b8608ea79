import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { projectRoot } from '../tidy/project-files.ts';

export const run = promisify(execFile);

const script = fileURLToPath(new URL('build.sh', import.meta.url));
const kept = `${projectRoot}/.tools/images`;
const tools = [
  'apt-get',
  'jq',
  'mmdebstrap',
  'npm',
  'rpm',
  'rpmbuild',
  'skopeo',
  'umoci',
  'unshare',
  'unzip',
];
/** For one image and its base, also where another run builds them first. */
const buildSeconds = 600;

/** Why no real image can be built here; undefined where one can. */
export async function whyNone(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'making root file systems takes root';
  for (const tool of tools) if (!(await succeeds('which', tool))) return `there is no ${tool}`;
  if (!(await succeeds('unshare', '--mount', 'true'))) return 'nothing may be mounted here';
  const archive = ['--format', '$(REPO_URI)', 'Codename: bookworm', 'Component: main'];
  const { stdout } = await run('apt-get', ['indextargets', ...archive]);
  return stdout.trim() === '' ? 'apt knows no archive of Debian 12' : undefined;
}

/** @returns the OCI layout with the image, tagged `latest`: built by its recipe, or as an earlier test left it */
export async function buildRealImage(name: string): Promise<string> {
  // `timeout` ends all that the script has started.
  const bounded = ['--kill-after=10', String(buildSeconds), script, kept, name];
  const { stdout } = await run('timeout', bounded);
  return stdout.trim();
}

function succeeds(program: string, ...argv: string[]): Promise<boolean> {
  return run(program, argv).then(
    () => true,
    () => false,
  );
}
