import type { FastifyReply } from 'fastify';
import { onSlowBody } from './slow-body.ts';

/**
 * Aborts when the client hangs up before its answer has ended, or sends its body too slowly; with `shutdown` also when
 * the server begins to shut down. Without it the request may go on until its connection is cut.
 */
export function requestSignal(reply: FastifyReply, shutdown?: AbortSignal): AbortSignal {
  const controller = new AbortController();
  onSlowBody(reply.raw, (reason) => controller.abort(reason));
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
