import { isIPv6 } from 'node:net';

/**
 * Who an address stands for when requests are counted: itself, or of IPv6 its /64, which is what one customer is given and
 * may take any address from.
 */
export function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  if (!isIPv6(plain)) return plain;
  const [before = '', after] = plain.toLowerCase().split('::', 2);
  const groups = (text: string | undefined) => (text ? text.split(':') : []);
  const [head, tail] = [groups(before), groups(after)];
  const missing = after === undefined ? 0 : Math.max(0, 8 - head.length - tail.length);
  const whole = [...head, ...Array.from({ length: missing }, () => '0'), ...tail];
  const network = whole.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, ''));
  return `${network.join(':')}::/64`;
}
