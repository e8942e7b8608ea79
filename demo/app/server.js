/** The shop: answers every request with something that lodash made, and ends at once when it is asked to. */
import { createServer } from 'node:http';
import lodash from 'lodash';

const name = process.env.APP_NAME ?? 'shop';
const server = createServer((_request, response) => {
  const greeting = lodash.startCase(`welcome to the ${name}`);
  response.setHeader('content-type', 'application/json');
  response.end(`${JSON.stringify({ name, greeting, lodash: lodash.VERSION })}\n`);
});
server.listen(Number(process.env.PORT), '127.0.0.1');

process.on('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
});
