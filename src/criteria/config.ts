import type { Field } from '../lib/fields.ts';
import type { ConfigCriteria } from './criteria.ts';

const nameMax = 512;
const asks = ['user', 'port', 'env', 'label'] as const;

export function parseConfig(body: Field): ConfigCriteria['config'] {
  body.keys(asks);
  const [user, port, env, label] = asks.map((key) => body.optional(key));
  if (!user && !port && !env && !label) throw body.error(`must have at least one of ${asks.join(', ')}`);
  return {
    ...(user ? { user: user.text(nameMax) } : {}),
    ...(port ? { port: parsePort(port) } : {}),
    ...(env ? { env: parseName(env) } : {}),
    ...(label ? { label: parseLabel(label) } : {}),
  };
}

export function describeConfig({ user, port, env, label }: ConfigCriteria['config']): string {
  const parts = [
    ...(user === undefined ? [] : [`runs as ${user}`]),
    ...(port === undefined ? [] : [`exposes port ${port}`]),
    ...(env === undefined ? [] : [`sets ${env}`]),
    ...(label === undefined
      ? []
      : [`has label ${label.name}${label.value === undefined ? '' : `=${label.value}`}`]),
  ];
  return parts.join(' and ');
}

const nameSchema = { type: 'string', minLength: 1, maxLength: nameMax } as const;

export const configSchema = {
  type: 'object',
  additionalProperties: false,
  anyOf: asks.map((key) => ({ required: [key] })),
  properties: {
    user: { ...nameSchema, description: 'name or number; root is also 0, and none given' },
    port: { type: 'string', pattern: '^[0-9]{1,5}/(?:tcp|udp|sctp)$', description: '8080/tcp' },
    env: { ...nameSchema, pattern: '^[^=]+$', description: 'the name of a variable, never its value' },
    label: {
      type: 'object',
      required: ['name'],
      additionalProperties: false,
      properties: { name: nameSchema, value: { type: 'string', maxLength: 4096 } },
    },
  },
} as const;

function parsePort(field: Field): string {
  const port = field.text(16);
  if (/^[0-9]{1,5}\/(?:tcp|udp|sctp)$/.test(port)) return port;
  throw field.error(`'${port}' is not a port such as 8080/tcp`);
}

function parseName(field: Field): string {
  const name = field.text(nameMax);
  if (name.includes('=')) throw field.error('is the name of a variable; values are never kept');
  return name;
}

function parseLabel(label: Field): { name: string; value?: string } {
  label.keys(['name', 'value']);
  const value = label.optional('value');
  return {
    name: label.member('name').text(nameMax),
    ...(value === undefined ? {} : { value: value.string(4_096) }),
  };
}
