import type { Clock } from '../../lib/clock.ts';
import { limits } from '../../lib/limits.ts';
import { refusalCount } from '../../records/access/ledger.ts';
import type { Database } from '../../records/db/database.ts';
import type { LogEvent } from '../../records/log/event.ts';
import { logOfSubject } from '../../records/log/log.ts';
import {
  type ContainerHistory,
  containersOf,
  endedLeasesOf,
  imagesNaming,
  layerStates,
  type RevocationHistory,
  revocationsOf,
} from '../../records/marks/history.ts';
import {
  type Acknowledgement,
  acknowledgementList,
  type Quarantine,
} from '../../records/marks/quarantines.ts';
import { quarantineNamed } from './change.ts';

/** What is known of a revocation: who decided what, which region confirmed it, what became of every container. */
export interface Receipt {
  readonly quarantine: Quarantine;
  /** Milliseconds since 1970. */
  readonly issuedAt: number;
  readonly regions: readonly Acknowledgement[];
  readonly layers: readonly { readonly digest: string; readonly state: string }[];
  readonly containers: readonly ReceiptContainer[];
  readonly revocations: readonly RevocationHistory[];
  /** Requests for it that were turned away in this region, as counted so far. */
  readonly refused: number;
  readonly events: readonly LogEvent[];
}

/**
 * `stopped`: its exit was seen, and that alone is proof. `leaseEnded`: its agent or keeper ended it with its lease (proof
 * if its exit was seen), or nobody was heard and its lease must have ended by now. `unreachable`: last heard of as
 * running, by an agent that is silent now. `paused`, `running`: reported so.
 */
export interface ReceiptContainer extends ContainerHistory {
  readonly outcome: 'stopped' | 'leaseEnded' | 'unreachable' | 'paused' | 'running';
  readonly proof: boolean;
}

export interface ReceiptDeps {
  readonly database: Database;
  readonly clock: Clock;
  /** When this server began to grant leases: what it granted before counts as granted then. */
  readonly startedAtMs: number;
}

/** @throws notFound */
export async function receiptOf(deps: ReceiptDeps, name: string): Promise<Receipt> {
  const db = deps.database.read;
  const quarantine = await quarantineNamed(deps, name);
  const marked = quarantine.marks.map((mark) => mark.digest).filter((digest) => digest !== null);
  const images = await imagesNaming(db, marked);
  const issuedAt = deps.clock.wallMs();
  const containers = await containersOf(db, images);
  const leaseEnds = await leaseEndsOf(deps, containers);
  return {
    quarantine,
    issuedAt,
    regions: await acknowledgementList(db, quarantine.uid),
    layers: await layerStates(db, marked),
    containers: containers.map((container) => outcomeOf(container, leaseEnds.get(container.uid), issuedAt)),
    revocations: await revocationsOf(db, images),
    refused: await refusalCount(db, [...marked, ...images]),
    events: await logOfSubject(db, quarantine.name, limits.apiPageMax),
  };
}

/** By when the leases of containers have ended, of those whose deployment has: docs/concepts/leases.md. */
async function leaseEndsOf(
  { database, startedAtMs }: ReceiptDeps,
  containers: readonly ContainerHistory[],
): Promise<ReadonlyMap<string, number>> {
  const leases = await endedLeasesOf(
    database.read,
    containers.map((container) => container.uid),
  );
  const ends = new Map<string, number>();
  for (const { containerUid, subject, leaseMs, stopDeadlineMs } of leases) {
    const events = await logOfSubject(database.read, subject, limits.apiPageMax);
    const ended = events.findLast((event) => event.type === 'deployment.ended');
    if (!ended) continue;
    const grantedUntil = Math.max(ended.at, startedAtMs);
    ends.set(containerUid, grantedUntil + leaseMs + stopDeadlineMs + limits.containerKillMs);
  }
  return ends;
}

function outcomeOf(
  container: ContainerHistory,
  leaseEndsAt: number | undefined,
  nowMs: number,
): ReceiptContainer {
  const { state } = container;
  const exitSeen = container.stoppedAt !== null;
  if (state === 'leaseEnded') return { ...container, outcome: 'leaseEnded', proof: exitSeen };
  if (state === 'stopped' || state === 'failed') return { ...container, outcome: 'stopped', proof: exitSeen };
  if (leaseEndsAt !== undefined && nowMs >= leaseEndsAt)
    return { ...container, outcome: 'leaseEnded', proof: false };
  const heard = nowMs - container.heardAt <= limits.connectedMs;
  const reported = state === 'paused' ? 'paused' : 'running';
  return { ...container, outcome: heard ? reported : 'unreachable', proof: false };
}
