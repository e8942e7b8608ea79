/**
 * An inventory of many images, written straight into SQLite as pushes and inspections would have left it. The same seed
 * gives the same rows. Its shape is that of images built in layers upon few bases: a Zipf-like spread of packages over
 * images, few layers and folders with many files and many with few, most contents in one place, some in all. How far it is that
 * of real images, `--only shape` shows.
 */
import BetterSqlite3 from 'better-sqlite3';
import { sqliteIndexesTaken } from './indexes.ts';
import { cveOf, digestOf } from './names.ts';
import { hasNeedle, needle, type Spread, spreads } from './needles.ts';
import { mulberry32 } from './random.ts';
import type { InventorySize } from './sizes.ts';

const bases = 20;
const sharedLayers = 4;
const seed = 20_261_129;
/** How many files layers have, beside the mean of one: those of an image from below, again and again. Ten are as many as ten means. */
const layerShares = [5.5, 2.5, 1, 0.4, 0.2, 0.15, 0.1, 0.07, 0.05, 0.03] as const;
/** Of ten advisories. */
const severities = 'critical high high medium medium medium low low unknown unknown'.split(' ');
const layerFilesMin = spreads.length;
/** How many files folders have, one after another. */
const folderFiles = [1, 2, 1, 9, 2, 3, 1, 28, 2, 4] as const;
const imageColumns = ['manifest_id', 'state', 'ecosystems', 'config', 'created_at', 'inspected_at'];
/** CISA's catalogue has 1,600 of 320,000 CVEs. */
const exploitedEach = 200;

/** @param file of a database that was opened once, so that it has its tables, and is closed */
export function seedInventory(file: string, size: InventorySize, say: (line: string) => void): void {
  const database = new BetterSqlite3(file);
  try {
    // A crash may lose what a benchmark has made up.
    for (const pragma of [
      'synchronous = OFF',
      'cache_size = -400000',
      'foreign_keys = OFF',
      'temp_store = MEMORY',
    ])
      database.pragma(pragma);
    const rows = new Rows(database, size);
    const indexes = sqliteIndexesTaken(database);
    for (const [name, step] of rows.steps()) {
      say(`seeding ${name}`);
      database.transaction(step)();
    }
    say('making indexes');
    for (const index of indexes) database.exec(index);
    database.pragma('wal_checkpoint(TRUNCATE)');
  } finally {
    database.close();
  }
}

class Rows {
  readonly #database: BetterSqlite3.Database;
  readonly #size: InventorySize;
  readonly #random = mulberry32(seed);
  readonly #repositories: number;

  constructor(database: BetterSqlite3.Database, size: InventorySize) {
    this.#database = database;
    this.#size = size;
    this.#repositories = Math.max(1, Math.floor(size.images / 10));
  }

  steps(): [string, () => void][] {
    return [
      ['repositories', () => this.#catalog()],
      ['packages and advisories', () => this.#packages()],
      ['folders and names', () => this.#paths()],
      ['layers', () => this.#layers()],
      ['images', () => this.#images()],
    ];
  }

  #catalog(): void {
    this.#database.prepare("insert into accounts (name, created_at) values ('bench', 0)").run();
    const repository = this.#insert('repositories', ['name', 'account_id', 'home_region', 'created_at']);
    const { id } = this.#one("select id from accounts where name = 'bench'");
    for (let n = 1; n <= this.#repositories; n++)
      repository.run(`bench/team-${n % 40}/app-${n}`, id, 'bench', 0);
    this.#insert('inventory_versions', ['extractors', 'first_used_at']).run('apk@1 dpkg@1 npm@1', 0);
    this.#insert('advisory_sources', ['source', 'kind', 'imported_at', 'documents']).run(
      'bench',
      'osv',
      1,
      this.#size.advisories,
    );
  }

  /** The first three are the needles. A tenth have findings, of which a tenth are critical and half can be fixed. */
  #packages(): void {
    const { distinctPackages, advisories } = this.#size;
    const insert = this.#insert('packages', [
      'purl',
      'purl_type',
      'ecosystem',
      'name',
      'version',
      'spdx',
      'first_seen_at',
    ]);
    const licences = ['MIT', 'Apache-2.0', 'ISC', 'BSD-3-Clause', 'MIT OR Apache-2.0', 'LGPL-2.1-only'];
    for (const spread of spreads) {
      const { purl, licence } = needle(spread);
      insert.run(`${purl}@1.0.0`, 'npm', 'npm', purl.slice('pkg:npm/'.length), '1.0.0', licence, 0);
    }
    for (let n = 4; n <= distinctPackages; n++) {
      const [type, ecosystem] = n % 2 === 0 ? ['npm', 'npm'] : ['deb', 'Debian:12'];
      const [name, version] = [`package-${n >> 2}`, `${1 + (n & 3)}.${n % 10}.0`];
      const purl = type === 'npm' ? `pkg:npm/${name}@${version}` : `pkg:deb/debian/${name}@${version}`;
      insert.run(purl, type, ecosystem, name, version, licences[n % licences.length], 0);
    }
    const advisory = this.#advisoryInsert();
    const alias = this.#insert('advisory_aliases', ['advisory_id', 'alias']);
    const exploited = this.#insert('known_exploited', ['cve', 'added_on', 'ransomware', 'name']);
    const affected = this.#insert('advisory_packages', [
      'advisory_id',
      'position',
      'ecosystem',
      'name',
      'affected',
      'severity',
    ]);
    const finding = this.#insert('findings', [
      'package_id',
      'advisory_id',
      'verdict',
      'fixed_version',
      'severity',
      'since',
    ]);
    for (const [at, spread] of spreads.entries()) {
      advisory(needle(spread).advisory, 'high');
      finding.run(at + 1, at + 1, 'affected', '1.0.1', 'high', 0);
    }
    for (let n = 4; n <= advisories; n++) {
      const severity = severities[n % severities.length];
      advisory(`BENCH-${n}`, severity);
      alias.run(n, cveOf(n));
      if (n % exploitedEach === 0) exploited.run(cveOf(n), '2026-01-01', 0, `BENCH-${n}`);
      affected.run(n, 0, n % 2 === 0 ? 'npm' : 'Debian:12', `package-${n}`, '{}', severity);
      const hit = 4 + Math.floor(this.#random() * (distinctPackages - 4));
      if (n <= distinctPackages / 5)
        finding.run(hit, n, 'affected', n % 2 === 0 ? '9.9.9' : null, severity, 0);
    }
  }

  #advisoryInsert(): (id: string, severity: string | undefined) => void {
    const columns = ['source', 'advisory_id', 'flaw', 'modified_at', 'severity', 'body', 'imported_at'];
    const insert = this.#insert('advisories', columns);
    return (id, severity) => void insert.run('bench', id, id, 0, severity, '{}', 0);
  }

  /** The folders of a layer lie side by side. */
  #paths(): void {
    const folder = this.#insert('folders', ['id', 'path']);
    const entry = this.#insert('folder_entries', ['id', 'folder_id', 'name']);
    const distinct = this.#distinctPaths();
    let [folders, left] = [0, 0];
    for (let id = 1; id <= distinct; id++, left--) {
      if (left === 0) {
        folders += 1;
        left = folderFiles[folders % folderFiles.length] ?? 1;
        folder.run(folders, `usr/lib/component-${folders % 500}/part-${folders}/`);
      }
      entry.run(id, folders, id % 50 === 0 ? 'index.js' : `file-${id % 10}-${id % 1000}.js`);
    }
  }

  #distinctPaths(): number {
    return Math.max(10_000, Math.floor((this.#size.images * this.#size.filesPerLayer) / 10) * 10);
  }

  /** Those of the bases first, then each image's own. */
  #layers(): void {
    const { images, layersPerImage, filesPerLayer } = this.#size;
    const own = layersPerImage - sharedLayers;
    const blob = this.#insert('blobs', ['id', 'digest', 'size_bytes', 'state', 'stored_at']);
    const inspection = this.#insert('inspections', [
      'blob_id',
      'state',
      'diff_id',
      'uncompressed_bytes',
      'entries',
      'duration_ms',
      'version',
      'secrets_read',
      'inspected_at',
    ]);
    const file = this.#insert('layer_files', ['blob_id', 'path_id', 'size_bytes', 'mode', 'kind', 'sha256']);
    const secret = this.#insert('layer_secrets', [
      'blob_id',
      'path_id',
      'line',
      'kind',
      'fingerprint',
      'key_version',
    ]);
    const total = bases * sharedLayers + images * own;
    const distinct = this.#distinctPaths();
    for (let id = 1; id <= total; id++) {
      const share = layerShares[(id - 1) % layerShares.length] ?? 1;
      const files = Math.max(layerFilesMin, Math.round(filesPerLayer * share));
      blob.run(id, digestOf('layer', id), 1_000_000, 'live', 0);
      inspection.run(id, 'done', digestOf('diff', id), 1_000_000, files, 1, 1, 1, 0);
      const first = Math.floor(this.#random() * (distinct - files));
      for (let n = 1; n <= files; n++)
        file.run(id, first + n, 1_000 + n, 0o644, 'file', this.#content(id, n));
      for (const spread of spreads)
        if (this.#holds(id, spread)) {
          const path = first + 1 + spreads.indexOf(spread);
          this.#database
            .prepare('update layer_files set sha256 = ? where blob_id = ? and path_id = ?')
            .run(Buffer.from(needle(spread).sha256, 'hex'), id, path);
          secret.run(id, path, 1, needle(spread).secret, Buffer.alloc(32, id), 1);
        }
    }
  }

  /** A third of the contents are in many places, as licences and empty files are. */
  #content(layer: number, n: number): Buffer {
    const bytes = Buffer.alloc(32);
    const common = n % 3 === 0;
    bytes.writeUInt32LE(common ? (n * 2_654_435_761) % 2 ** 32 : Math.floor(this.#random() * 2 ** 32), 0);
    bytes.writeUInt32LE(common ? 7 : layer, 4);
    bytes.writeUInt32LE(n, 8);
    return bytes;
  }

  /** The needle of all is in the second layer of each base, the others in the first own layer of images. */
  #holds(layer: number, spread: Spread): boolean {
    if (layer <= bases * sharedLayers) return spread === 'all' && layer % sharedLayers === 2;
    const { images, layersPerImage } = this.#size;
    const own = layersPerImage - sharedLayers;
    const at = layer - bases * sharedLayers - 1;
    if (at % own !== 0) return false;
    return hasNeedle(Math.floor(at / own), spread, images);
  }

  #images(): void {
    const { images, layersPerImage } = this.#size;
    const own = layersPerImage - sharedLayers;
    const manifest = this.#insert('manifests', [
      'id',
      'digest',
      'kind',
      'media_type',
      'platform',
      'size_bytes',
      'body',
      'created_at',
    ]);
    const edge = this.#insert('edges', [
      'manifest_id',
      'kind',
      'position',
      'digest',
      'media_type',
      'size_bytes',
      'diff_id',
    ]);
    const image = this.#insert('images', imageColumns);
    const held = this.#insert('repository_manifests', [
      'repository_id',
      'manifest_id',
      'pushed_at',
      'pushed_by',
      'last_pulled_at',
    ]);
    const tag = this.#insert('tags', ['repository_id', 'name', 'manifest_id', 'updated_at', 'updated_by']);
    for (let n = 0; n < images; n++) {
      const id = n + 1;
      manifest.run(
        id,
        digestOf('image', id),
        'image',
        'application/vnd.oci.image.manifest.v1+json',
        'linux/amd64',
        2_000,
        Buffer.alloc(0),
        0,
      );
      const config = `{"user":"","labels":{"team":"team-${n % 40}"}}`;
      image.run(id, 'done', '["Debian:12","npm"]', config, n * 60_000, 0);
      const repository = 1 + (n % this.#repositories);
      held.run(repository, id, n * 60_000, n % 3 === 0 ? 'ci-main' : 'jo', n % 5 === 0 ? null : n * 61_000);
      tag.run(repository, `v${n}`, id, 0, 'jo');
      for (let position = 0; position < layersPerImage; position++) {
        const layer =
          position < sharedLayers
            ? 1 + (n % bases) * sharedLayers + position
            : 1 + bases * sharedLayers + n * own + position - sharedLayers;
        edge.run(
          id,
          'layer',
          position,
          digestOf('layer', layer),
          'application/vnd.oci.image.layer.v1.tar+gzip',
          1_000_000,
          digestOf('diff', layer),
        );
      }
      this.#imagePackages(n, own);
    }
  }

  /** Two thirds come with the base, and are the same in all images on it. */
  #imagePackages(n: number, own: number): void {
    const { packagesPerImage, distinctPackages, images } = this.#size;
    const shown = this.#prepared(
      'insert or ignore into image_packages (manifest_id, package_id, blob_id, path_id) values (?, ?, ?, ?)',
    );
    const inLayer = this.#prepared(
      "insert or ignore into layer_packages (blob_id, package_id, path_id, extractor) values (?, ?, ?, 'npm')",
    );
    const base = n % bases;
    const ofBase = Math.floor((packagesPerImage * 2) / 3);
    const baseLayer = 1 + base * sharedLayers;
    const ownLayer = 1 + bases * sharedLayers + n * own;
    const add = (packageId: number, layer: number) => {
      shown.run(n + 1, packageId, layer, 1 + (packageId % 10_000));
      inLayer.run(layer, packageId, 1 + (packageId % 10_000));
    };
    for (let at = 0; at < ofBase; at++) add(4 + ((base * 37 + at) % (distinctPackages - 4)), baseLayer);
    for (let at = ofBase; at < packagesPerImage; at++)
      add(4 + Math.floor(this.#random() ** 3 * (distinctPackages - 4)), ownLayer);
    for (const [at, spread] of spreads.entries())
      if (hasNeedle(n, spread, images)) add(at + 1, spread === 'all' ? baseLayer + 1 : ownLayer);
  }

  #insert(table: string, columns: readonly string[]): BetterSqlite3.Statement {
    const marks = columns.map(() => '?').join(', ');
    return this.#prepared(`insert into ${table} (${columns.join(', ')}) values (${marks})`);
  }

  readonly #statements = new Map<string, BetterSqlite3.Statement>();
  #prepared(text: string): BetterSqlite3.Statement {
    const known = this.#statements.get(text) ?? this.#database.prepare(text);
    this.#statements.set(text, known);
    return known;
  }

  #one(text: string): { id: number } {
    return this.#database.prepare<[], { id: number }>(text).get() ?? { id: 0 };
  }
}
