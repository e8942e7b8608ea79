import type { Clock } from '../../lib/clock.ts';
import { limits } from '../../lib/limits.ts';
import { refusalCount } from '../../records/access/ledger.ts';
import type { Database } from '../../records/db/database.ts';
import type { LogEvent } from '../../records/log/event.ts';
import { logOfSubject } from '../../records/log/log.ts';
import {
  type ContainerHistory,
  containersOf,
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
 * `stopped`: its exit was seen, and that alone is proof. `unreachable`: last heard of as running, by an agent that is
 * silent now. `running`: reported as running.
 */
export interface ReceiptContainer extends ContainerHistory {
  readonly outcome: 'stopped' | 'unreachable' | 'running';
  readonly proof: boolean;
}

/** @throws notFound */
export async function receiptOf(
  deps: { readonly database: Database; readonly clock: Clock },
  name: string,
): Promise<Receipt> {
  const db = deps.database.read;
  const quarantine = await quarantineNamed(deps, name);
  const marked = quarantine.marks.map((mark) => mark.digest).filter((digest) => digest !== null);
  const images = await imagesNaming(db, marked);
  const issuedAt = deps.clock.wallMs();
  return {
    quarantine,
    issuedAt,
    regions: await acknowledgementList(db, quarantine.uid),
    layers: await layerStates(db, marked),
    containers: (await containersOf(db, images)).map((container) => outcomeOf(container, issuedAt)),
    revocations: await revocationsOf(db, images),
    refused: await refusalCount(db, [...marked, ...images]),
    events: await logOfSubject(db, quarantine.name, limits.apiPageMax),
  };
}

function outcomeOf(container: ContainerHistory, nowMs: number): ReceiptContainer {
  if (container.state === 'stopped' || container.state === 'failed')
    return { ...container, outcome: 'stopped', proof: container.stoppedAt !== null };
  const heard = nowMs - container.reportedAt <= limits.connectedMs;
  return { ...container, outcome: heard ? 'running' : 'unreachable', proof: false };
}
