import { blobStoreContract } from '../../test/support/blob-store-contract.ts';
import { FaultyStore } from '../../test/support/faulty-store.ts';
import { MemoryContents, openMemoryStore } from './memory.ts';

async function memoryPlace() {
  const contents = new MemoryContents();
  return { open: (region: string) => openMemoryStore({ region, contents }), remove: async () => {} };
}

blobStoreContract('the memory store', memoryPlace);

blobStoreContract('a faulty store without faults', async () => {
  const { open, remove } = await memoryPlace();
  return { open: async (region) => new FaultyStore(await open(region)), remove };
});
