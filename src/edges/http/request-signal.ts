import type { FastifyReply } from 'fastify';
import type { LazaretError } from '../../lib/errors.ts';

type Response = FastifyReply['raw'];

const working = new WeakMap<Response, AbortController>();

/** Ends the work on a request, which is answered with `reason` if nothing was sent. @returns false if nobody listens */
export function endRequest(response: Response, reason: LazaretError): boolean {
  const controller = working.get(response);
  controller?.abort(reason);
  return controller !== undefined;
}

/**
 * Aborts when the client hangs up before its answer has ended, or sends its body too slowly, or `endRequest` is called;
 * with `shutdown` also when the server begins to shut down. Without it the request may go on until its connection is cut.
 */
export function requestSignal(reply: FastifyReply, shutdown?: AbortSignal): AbortSignal {
  const controller = new AbortController();
  working.set(reply.raw, controller);
  const onHangUp = () => controller.abort(new DOMException('the client hung up', 'AbortError'));
  const onShutdown = () => controller.abort(shutdown?.reason);
  if (shutdown?.aborted) onShutdown();
  shutdown?.addEventListener('abort', onShutdown, { once: true });
  if (reply.raw.destroyed) onHangUp();
  reply.raw.once('close', () => {
    shutdown?.removeEventListener('abort', onShutdown);
    if (!reply.raw.writableFinished) onHangUp();
  });
  return controller.signal;
}
