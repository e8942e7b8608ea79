/**
 * Gives the memory of buffers back at once, and leaves them empty. For large streams: V8 runs through its whole heap each
 * time that buffers have come to 64 MiB, however soon they are done with, which took as long as all the rest of an upload.
 * Of buffers that share their memory with others nothing happens.
 */
export function freeMemory(buffers: readonly Uint8Array[]): void {
  for (const { buffer, byteLength } of buffers)
    if (buffer instanceof ArrayBuffer && byteLength > 0 && byteLength === buffer.byteLength)
      buffer.transfer(0);
}
