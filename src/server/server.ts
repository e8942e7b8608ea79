import { adminPasswordFile, firstStart } from '../actions/access/first-start.ts';
import { peerPrincipalsEnsure } from '../actions/access/peer-principals.ts';
import { ledgerTask } from '../actions/pull/ledger.ts';
import { apiRoutes } from '../edges/api/routes.ts';
import { createApp } from '../edges/http/app.ts';
import { distributionApi } from '../edges/oci/distribution.ts';
import { causeChain } from '../lib/errors.ts';
import { inTime } from '../lib/in-time.ts';
import { limits } from '../lib/limits.ts';
import { shared } from '../lib/shared.ts';
import { collectorOff } from '../records/collection/collector-state.ts';
import { logHead } from '../records/log/log.ts';
import { regionsEnsure } from '../records/regions/regions.ts';
import type { Config } from './config/config.ts';
import { type Context, type ContextOverrides, openContext } from './context.ts';
import { takeDataFolder } from './data-folder.ts';
import { closeApp, listen } from './http-server.ts';
import { type Readers, startReaders } from './processes/readers.ts';
import { serverTasks } from './task-list.ts';
import { startTasks } from './tasks.ts';
import { tlsPair, tlsReload } from './tls.ts';

export interface ServerOverrides extends ContextOverrides {
  /** False: background tasks run only when `drain` is called. */
  readonly taskLoops?: boolean;
}

export interface RunningServer {
  /** `http://localhost:5000`: where clients on this machine reach it. */
  readonly url: string;
  readonly context: Context;
  /** Takes over a changed certificate now. @returns whether there was one */
  readonly reload: () => Promise<boolean>;
  /** Runs the background tasks until there is nothing left to do. */
  readonly drain: () => Promise<void>;
  /** Stops accepting, lets what is in flight end (at most for `http.drain`), then closes the stores. */
  readonly close: () => Promise<void>;
}

/** @throws dataFolderInUse, configInvalid, unavailable, conflict */
export async function startServer(config: Config, overrides: ServerOverrides = {}): Promise<RunningServer> {
  const cleanups: (() => unknown)[] = [];
  const cleanUp = async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  };
  try {
    cleanups.push(takeDataFolder(config.dataFolder));
    const { context, beginShutdown, close } = await openContext(config, overrides);
    cleanups.push(close);
    const readers = config.http.processes > 1 ? startReaders(config.http.processes - 1, context) : undefined;
    if (readers) cleanups.push(readers.close);
    await prepare(context);
    const tls = config.listen.tls;
    const pair = tls && (await tlsPair(tls));
    const app = await createApp({
      ...context,
      tls: pair,
      trustedProxies: config.listen.trustedProxies,
      managementRoutes: apiRoutes(context),
      distribution: distributionApi(context),
      operation: {
        ready: readiness(context, readers),
        metrics: readers?.metrics ?? context.metrics,
      },
    });
    const url = await listen(app, config);
    cleanups.push(() => Promise.all([closeApp(app, context), readers?.close()]), beginShutdown);
    await takeRegions(context, url);
    const reload = tls && pair ? tlsReload({ ...context, files: tls, pair, server: app.server }) : undefined;
    const all = [...serverTasks(context), ...(reload ? [reload.task] : [])];
    const tasks = startTasks(all, { ...context, loops: overrides.taskLoops ?? true });
    // After the requests: what is being sent is cut by a quarantine until its end.
    cleanups.splice(cleanups.length - 2, 0, () => countLast(context), tasks.stop, context.replication.stop);
    context.replication.start();
    await readers?.serve({ app, config });
    const look = async () => {
      const fresh = await Promise.all([reload?.look(), readers?.reload()]);
      return fresh.includes(true);
    };
    return { url, context, reload: look, drain: tasks.drain, close: cleanUp };
  } catch (error) {
    await cleanUp();
    throw error;
  }
}

/** Who may call, before anyone can. */
async function prepare(context: Context): Promise<void> {
  const { config, logger } = context;
  if (config.primary === config.region && (await firstStart(context, config.dataFolder)))
    logger.info(
      { file: adminPasswordFile(config.dataFolder) },
      'first start: the password of admin is in the file',
    );
  await peerPrincipalsEnsure(context, config.peers);
  const off = await collectorOff(context.database.read);
  if (off !== undefined) logger.warn({ reason: off }, 'the collector is off');
}

/** The pulls since the ledger was last written; those of the readers have come. */
async function countLast(context: Context): Promise<void> {
  try {
    await ledgerTask(context).run(AbortSignal.abort());
  } catch (error) {
    context.logger.warn({ error: causeChain(error), err: error }, 'the last pulls were not counted');
  }
}

async function takeRegions({ config, database }: Context, url: string): Promise<void> {
  const self = { name: config.region, url: config.url ?? url };
  await database.transact((tx) => regionsEnsure(tx, { self, primary: config.primary, peers: config.peers }));
}

/** A store that does not answer in time is away. It is asked once at a time, however often this is. */
function readiness({ database, blobs, clock }: Context, readers: Readers | undefined): () => Promise<void> {
  const look = shared(async () => {
    await logHead(database.read);
    await blobs.notes.get('readyz');
    await readers?.ready();
  });
  const ms = limits.processAnswerMs;
  return () => inTime(look(), { clock, ms, late: `no answer within ${ms} ms` });
}
