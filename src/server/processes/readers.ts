import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { SecretCheck } from '../../actions/access/authenticate.ts';
import type { PullLedger } from '../../actions/pull/ledger.ts';
import { type Metrics, metricsTogether } from '../../edges/http/metrics.ts';
import type { RateTaker } from '../../edges/http/request-rate.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Foreground } from '../../lib/foreground.ts';
import { limits } from '../../lib/limits.ts';
import type { Database } from '../../records/db/database.ts';
import type { Config } from '../config/config.ts';
import { portOf } from '../http-server.ts';
import { Keeper } from './keeper.ts';
import { listenForReaders, type ReadersSocket } from './socket.ts';
import type { ReaderPlan } from './verbs.ts';

/**
 * The processes beside the first one, as it sees them. They answer pulls and nothing else (reader.ts); what several
 * processes must count together is counted here.
 */
export interface ReadersDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly config: Pick<Config, 'http'>;
  readonly database: Pick<Database, 'onCommit'>;
  readonly secretFits: SecretCheck;
  readonly requestRate: RateTaker;
  readonly ledger: Pick<PullLedger, 'add'>;
  readonly foreground: Pick<Foreground, 'begin'>;
  readonly metrics: Metrics;
}

export interface Readers {
  /**
   * Resolves when all serve beside `app`, which listens.
   * @throws unavailable if one can't; configInvalid if the data folder's path is too long
   */
  readonly serve: (writer: { readonly app: FastifyInstance; readonly config: Config }) => Promise<void>;
  /** @throws unavailable unless all serve, and reach the stores */
  readonly ready: () => Promise<void>;
  /** Of the whole server. */
  readonly metrics: Pick<Metrics, 'text' | 'contentType'>;
  /** Lets them look for another certificate. @returns whether there was one */
  readonly reload: () => Promise<boolean>;
  /** Lets what is in flight end, and them; once. */
  readonly close: () => Promise<void>;
}

/** Starts them: they load their program while this process still prepares what they shall serve. */
export function startReaders(count: number, deps: ReadersDeps): Readers {
  const { clock, logger, database, secretFits, requestRate, ledger, foreground, metrics } = deps;
  const plan = Promise.withResolvers<Omit<ReaderPlan, 'number'>>();
  const answers = {
    secretFits: ({ hash, given }) => secretFits(hash, given),
    rateTake: async ({ caller, address }) => requestRate.take(caller, address),
    pulled: async (entries) => {
      for (const entry of entries) ledger.add(entry);
    },
  } satisfies ConstructorParameters<typeof Keeper>[0]['answers'];
  const keepers = Array.from({ length: count }, (_, at) => {
    const number = at + 1;
    const own = plan.promise.then((common) => ({ ...common, number }));
    return new Keeper({ number, plan: own, clock, logger, answers, beginPulls: () => foreground.begin() });
  });
  const closeMs = deps.config.http.drainMs + limits.processCloseMs;
  const silence = database.onCommit(together(keepers));
  let socket: ReadersSocket | undefined;
  const close = async () => {
    silence();
    await Promise.all(keepers.map((keeper) => keeper.close(closeMs)));
    await socket?.close();
  };
  let closing: Promise<void> | undefined;
  return {
    serve: async ({ app, config }) => {
      socket = await listenForReaders(config.dataFolder, app.routing);
      plan.resolve({ config, port: portOf(app), socketPath: socket.path });
      await Promise.all(keepers.map((keeper) => keeper.serving));
    },
    ready: async () => {
      await Promise.all(keepers.map((keeper) => keeper.ask('ready', limits.processAnswerMs)));
    },
    metrics: {
      contentType: metrics.contentType,
      text: async () => {
        const theirs = await Promise.all(keepers.map((keeper) => keeper.metrics(limits.processAnswerMs)));
        return metricsTogether([await metrics.snapshot(), ...theirs.flat()]).metrics();
      },
    },
    reload: async () => {
      const fresh = await Promise.all(keepers.map((keeper) => keeper.ask('reload', limits.processAnswerMs)));
      return fresh.includes(true);
    },
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

/** Tells each of a commit, and of those that come until it has answered by one more word: never more than one waits. */
function together(keepers: readonly Keeper[]): () => void {
  const tellers = keepers.map((keeper) => {
    let telling = false;
    let again = false;
    return async () => {
      again = true;
      if (telling) return;
      telling = true;
      while (again) {
        again = false;
        // One that does not serve begins with the rows as they are then.
        await keeper.ask('committed', limits.processAnswerMs).catch(() => undefined);
      }
      telling = false;
    };
  });
  return () => {
    for (const tell of tellers) void tell();
  };
}
