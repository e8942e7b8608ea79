import { type Client, call, callLines } from '../client/client.ts';
import {
  type AgentReport,
  type AgentReportAnswer,
  type AssignmentsLine,
  agentAssignments,
  agentReportSend,
} from '../contract/agent.ts';
import { limits } from '../lib/limits.ts';

/** What an agent says to its region and hears from it. Tests speak it without a server. */
export interface RegionLink {
  /** Lines until the connection ends or breaks. @throws unavailable, unauthorized, denied */
  watch(signal: AbortSignal): AsyncIterable<AssignmentsLine>;
  /** @throws unavailable, unauthorized, denied, invalid */
  report(report: AgentReport, signal: AbortSignal): Promise<AgentReportAnswer>;
}

export function regionLink(client: Client): RegionLink {
  // A region says something every `heartbeatMs`: silence for longer than `connectedMs` is a broken connection.
  const patient: Client = { ...client, timeoutMs: limits.connectedMs };
  return {
    watch: (signal) => callLines(patient, agentAssignments, {}, { signal }),
    report: (report, signal) => {
      const body = { ...report, containers: [...report.containers] };
      return call(patient, agentReportSend, { body }, { signal });
    },
  };
}
