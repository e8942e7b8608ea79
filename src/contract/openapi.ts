import type { TSchema } from 'typebox';
import { errorBody } from './errors.ts';
import type { AnyRoute } from './route.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** The routes as an OpenAPI 3.1 document, whose schemas are the routes' own JSON Schemas. */
export function openApiDocument(routes: readonly AnyRoute[]): JsonObject {
  const paths: Record<string, Record<string, JsonObject>> = {};
  for (const route of [...routes].sort((a, b) => compare(a.path, b.path) || compare(a.method, b.method))) {
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Lazaret',
      version: 'v1',
      description: 'The management API. Images are pushed and pulled under /v2/.',
    },
    security: [{ basic: [] }, { bearer: [] }],
    paths,
    components: {
      securitySchemes: {
        basic: { type: 'http', scheme: 'basic' },
        bearer: { type: 'http', scheme: 'bearer' },
      },
      schemas: { Error: errorBody },
    },
  };
}

function operation(route: AnyRoute): JsonObject {
  const parameters = [...parametersOf(route.params, 'path'), ...parametersOf(route.query, 'query')];
  return {
    operationId: route.name,
    summary: route.summary,
    'x-audience': route.audience,
    ...(route.audience === 'anyone' ? { security: [] } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...requestBody(route),
    responses: {
      200: { description: answerDescriptions[route.answer], content: answerContent(route) },
      default: {
        description: 'A failure',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    },
  };
}

const answerDescriptions = {
  json: 'The answer',
  lines: 'One JSON value per line; an empty line now and then shows that the connection lives',
  bytes: 'The bytes',
} as const;

function answerContent(route: AnyRoute): JsonObject {
  if (route.answer === 'bytes') return { 'application/octet-stream': {} };
  return {
    [route.answer === 'lines' ? 'application/x-ndjson' : 'application/json']: { schema: route.response },
  };
}

function requestBody(route: AnyRoute): JsonObject {
  if (route.streamedBody)
    return { requestBody: { required: true, content: { 'application/octet-stream': {} } } };
  if (propertiesOf(route.body).length === 0 && 'properties' in route.body) return {};
  if (route.method === 'GET') return {};
  return { requestBody: { required: true, content: { 'application/json': { schema: route.body } } } };
}

function parametersOf(schema: TSchema, location: 'path' | 'query'): JsonObject[] {
  const required = 'required' in schema && Array.isArray(schema.required) ? schema.required : [];
  return propertiesOf(schema).map(([name, property]) => ({
    name,
    in: location,
    required: location === 'path' || required.includes(name),
    schema: property,
  }));
}

function propertiesOf(schema: TSchema): [string, unknown][] {
  const properties = 'properties' in schema ? schema.properties : undefined;
  return typeof properties === 'object' && properties !== null ? Object.entries(properties) : [];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
