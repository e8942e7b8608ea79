import { authorization, type Client } from '../../src/client/client.ts';

export interface HttpRequest {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** One request as a client of the distribution API makes it; `line` is `GET /v2/acme/shop/tags/list`. */
export function http(client: Client, line: string, request: HttpRequest = {}): Promise<Response> {
  const [method = 'GET', path = '/'] = line.split(' ');
  const body = typeof request.body === 'string' ? Buffer.from(request.body) : request.body;
  return fetch(new URL(path, client.url), {
    method,
    headers: { ...authorization(client.credentials), ...request.headers },
    redirect: 'manual',
    ...(body === undefined ? {} : { body: new Uint8Array(body) }),
  });
}

export async function errorCode(response: Response): Promise<string> {
  const body: { errors?: { code?: string }[] } = JSON.parse(await response.text());
  return body.errors?.[0]?.code ?? '';
}
