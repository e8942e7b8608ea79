import { type Credentials, callLines } from '../src/client/client.ts';
import { eventList } from '../src/contract/events.ts';
import type { RouteAnswer } from '../src/contract/route.ts';
import type { Narrator } from './narrator.ts';
import type { Region } from './region.ts';
import { Registry } from './registry.ts';
import { until } from './wait.ts';
import type { World } from './world.ts';

export type DemoEvent = RouteAnswer<typeof eventList>;

/** What every step is told in. */
export class Story {
  readonly world: World;
  readonly narrator: Narrator;
  readonly signal: AbortSignal;

  constructor(options: Pick<Story, 'world' | 'narrator' | 'signal'>) {
    this.world = options.world;
    this.narrator = options.narrator;
    this.signal = options.signal;
  }

  /** A repository in a region, as somebody's docker sees it. */
  registry(region: Region, person: { readonly credentials: Credentials }, repository: string): Registry {
    return new Registry({
      url: region.url,
      credentials: person.credentials,
      repository,
      signal: this.signal,
    });
  }

  /** The events of a type in a region's log, as the operator sees it. `type` without `io.lazaret.` and version. */
  async events(region: Region, type: string): Promise<DemoEvent[]> {
    const client = { url: region.url, credentials: this.world.people.admin.credentials };
    const found: DemoEvent[] = [];
    for await (const event of callLines(
      client,
      eventList,
      { query: { limit: 10_000 } },
      { signal: this.signal },
    ))
      if (event.type === `io.lazaret.${type}.v1`) found.push(event);
    return found;
  }

  /** The newest such event, as soon as there is one. */
  event(region: Region, type: string, is: (event: DemoEvent) => boolean): Promise<DemoEvent> {
    const { signal } = this;
    const ask = async () => (await this.events(region, type)).findLast(is);
    return until(ask, { what: `${type} in ${region.name}`, signal });
  }

  /** @throws Error unless `deadlineMs` is enough for `ask` to give an answer */
  until<T>(what: string, ask: () => Promise<T | undefined | false>, deadlineMs = 20_000): Promise<T> {
    return until(ask, { what, deadlineMs, signal: this.signal });
  }
}
