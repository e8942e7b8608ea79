import { call } from '../client/client.ts';
import { principalList } from '../contract/principals.ts';
import { bindingsText } from './bindings.ts';
import { type CliIo, clientOf, type ServerOptions } from './io.ts';
import { type OutputOptions, print } from './output.ts';
import { timeText } from './words.ts';

interface ListOptions extends ServerOptions, OutputOptions {
  readonly account?: string;
}

/** The users, the robots, or (undefined) both that the caller administers. */
export async function listPrincipals(
  io: CliIo,
  options: ListOptions,
  kind: 'user' | 'robot' | undefined,
): Promise<void> {
  const query = options.account === undefined ? {} : { account: options.account };
  const client = await clientOf(io, options);
  const { principals } = await call(client, principalList, { query }, { signal: io.signal });
  const listed = principals.filter((one) => kind === undefined || one.kind === kind);
  await print(io, options.output, listed, () => ({
    columns: ['name', 'account', 'roles', 'since', 'expires', 'disabled'],
    rows: listed.map((one) => [
      one.name,
      one.account,
      bindingsText(one.bindings),
      timeText(one.createdAt),
      timeText(one.expiresAt),
      timeText(one.disabledAt),
    ]),
  }));
}
