/** Asks the app in the container, as its users do. */
import { connect } from 'node:net';

export interface Greeting {
  readonly name: string;
  readonly greeting: string;
  readonly lodash: string;
}

/** @throws Error when nothing answers */
export async function greeting(port: number, signal: AbortSignal): Promise<Greeting> {
  const response = await fetch(`http://127.0.0.1:${port}/`, { signal });
  const body: unknown = await response.json();
  const told = new Map(Object.entries(body ?? {}));
  const [name, text, lodash] = ['name', 'greeting', 'lodash'].map((key) => String(told.get(key)));
  return { name: name ?? '', greeting: text ?? '', lodash: lodash ?? '' };
}

/** Whether anything listens there: one attempt to connect. */
export function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
