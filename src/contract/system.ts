import Type from 'typebox';
import { nothing, route } from './route.ts';

export const versionShow = route({
  name: 'versionShow',
  method: 'GET',
  path: '/api/v1/version',
  summary: 'The server’s version and region',
  audience: 'caller',
  params: nothing,
  query: nothing,
  body: nothing,
  response: Type.Object({ version: Type.String(), region: Type.String(), primary: Type.String() }),
  answer: 'json',
});

export const openApiShow = route({
  name: 'openApiShow',
  method: 'GET',
  path: '/api/v1/openapi.json',
  summary: 'This API as an OpenAPI 3.1 document',
  audience: 'anyone',
  params: nothing,
  query: nothing,
  body: nothing,
  response: Type.Unknown(),
  answer: 'json',
});
