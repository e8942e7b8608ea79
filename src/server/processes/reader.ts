import { openAuthenticator } from '../../actions/access/authenticate.ts';
import { ledgerPassedOn, PullLedger } from '../../actions/pull/ledger.ts';
import { cutTask, OpenStreams, stalledTask } from '../../actions/pull/open-streams.ts';
import { RunningDigests } from '../../actions/push/running-digests.ts';
import { openBlobStore } from '../../blobs/drivers.ts';
import { createApp } from '../../edges/http/app.ts';
import { createProcessMetrics } from '../../edges/http/metrics.ts';
import type { RateTaker } from '../../edges/http/request-rate.ts';
import { distributionApi } from '../../edges/oci/distribution.ts';
import { onlyReads } from '../../edges/oci/reads.ts';
import { systemClock as clock } from '../../lib/clock.ts';
import { openReadOnly } from '../../records/db/drivers.ts';
import { NeedsWriter } from '../../records/db/read-only.ts';
import { createLogger, logged, openManifestsKept, serviceOf } from '../context.ts';
import { shareDataFolder } from '../data-folder.ts';
import { closeApp, listenToo } from '../http-server.ts';
import { startTasks } from '../tasks.ts';
import { tlsPair, tlsReload } from '../tls.ts';
import { busyTold } from './busy.ts';
import type { Link } from './link.ts';
import type { ReaderPlan, ReaderVerbs, WriterVerbs } from './verbs.ts';

type Writer = Pick<Link<WriterVerbs, ReaderVerbs>, 'ask'>;

/**
 * A process that answers pulls, each from the rows as they are at that moment, and hands everything else over to the one
 * that writes. It keeps nothing that another process would have to know.
 */
export async function startReader(plan: ReaderPlan, writer: Writer): Promise<ReaderVerbs> {
  const { config } = plan;
  const free = shareDataFolder(config.dataFolder);
  const committed = new Set<() => void>();
  const shutdown = new AbortController();
  const deps = await openParts(plan, { writer, committed, shutdown: shutdown.signal });
  const { database, blobs, metrics } = deps;
  const tls = config.listen.tls;
  const pair = tls && (await tlsPair(tls));
  const app = await createApp({
    ...deps,
    tls: pair,
    trustedProxies: config.listen.trustedProxies,
    managementRoutes: [],
    distribution: distributionApi(deps),
    foreground: busyTold(clock, (busy) => void writer.ask('busy', busy).catch(ended)),
    handOver: { answersHere: onlyReads, socketPath: plan.socketPath, clock },
  });
  const reload = tls && pair ? tlsReload({ ...deps, files: tls, pair, server: app.server }) : undefined;
  await listenToo(app, { host: config.listen.host, port: plan.port });
  const passedOn = ledgerPassedOn(deps, (entries) => writer.ask('pulled', entries));
  const all = [cutTask(deps), stalledTask(deps), passedOn, ...(reload ? [reload.task] : [])];
  const tasks = startTasks(all, { ...deps, loops: true });
  return {
    committed: async () => {
      for (const listener of committed) listener();
    },
    ready: async () => {
      await database.logHead();
      await blobs.notes.get('readyz');
    },
    metrics: () => metrics.snapshot(),
    reload: async () => (await reload?.look()) ?? false,
    close: async () => {
      shutdown.abort();
      await closeApp(app, deps);
      await tasks.stop();
      await passedOn.run(AbortSignal.abort());
      await blobs.close();
      await database.close();
      free();
    },
  };
}

interface Around {
  readonly writer: Writer;
  /** Called after each commit. */
  readonly committed: Set<() => void>;
  readonly shutdown: AbortSignal;
}

/** What the distribution API takes as its dependencies, of this process. */
async function openParts({ config, number }: ReaderPlan, { writer, committed, shutdown }: Around) {
  const { region, primary } = config;
  const logger = createLogger(config, number);
  const service = serviceOf(config);
  const onCommit = (listener: () => void) => {
    committed.add(listener);
    return () => committed.delete(listener);
  };
  const database = await openReadOnly(config.database, { region, clock, onError: logged(logger), onCommit });
  const blobs = await openBlobStore(config.blobs, region);
  return {
    config,
    region,
    primary,
    service,
    clock,
    logger,
    database,
    blobs,
    shutdown,
    metrics: createProcessMetrics(),
    digests: new RunningDigests(),
    ledger: new PullLedger(clock),
    openStreams: new OpenStreams(),
    openManifests: openManifestsKept(),
    requestRate: rateAsked(writer, config.access.requestsPerMinute > 0),
    // The copy is a job, which is written.
    fetchRemote: () => Promise.reject(new NeedsWriter()),
    authenticator: openAuthenticator({
      database,
      clock,
      service,
      anonymousPull: config.access.anonymousPull,
      secretFits: (hash, given) => writer.ask('secretFits', { hash, given }),
    }),
  };
}

/** Counted in one place for all processes. */
function rateAsked(writer: Writer, limited: boolean): RateTaker {
  return {
    take: ({ kind, principal }, address) =>
      limited ? writer.ask('rateTake', { caller: { kind, principal }, address }) : undefined,
  };
}

/** The writer has ended, and so does this process. */
function ended(): void {}
