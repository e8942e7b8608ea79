import type {
  AdvisoryCriteria,
  ConfigCriteria,
  FileCriteria,
  ImageCriteria,
  LicenseCriteria,
  MalwareCriteria,
  PackageCriteria,
  SecretCriteria,
} from '../../criteria/criteria.ts';
import { advisoryLeaf } from './advisory.ts';
import { configLeaf } from './config.ts';
import { fileLeaf } from './file.ts';
import { imageLeaf } from './image.ts';
import type { Leaf, LeafContext } from './leaf.ts';
import { licenseLeaf } from './license.ts';
import { malwareLeaf } from './malware.ts';
import { packageLeaf } from './package.ts';
import { secretLeaf } from './secret.ts';

export type LeafCriteria =
  | PackageCriteria
  | AdvisoryCriteria
  | FileCriteria
  | SecretCriteria
  | MalwareCriteria
  | ConfigCriteria
  | LicenseCriteria
  | ImageCriteria;

/** The one list of kinds. @throws invalid */
export async function compileLeaf(criteria: LeafCriteria, context: LeafContext): Promise<Leaf> {
  if ('package' in criteria) return packageLeaf(criteria, context);
  if ('advisory' in criteria) return advisoryLeaf(criteria, context);
  if ('file' in criteria) return fileLeaf(criteria, context);
  if ('secret' in criteria) return secretLeaf(criteria, context);
  if ('malware' in criteria) return malwareLeaf(criteria, context);
  if ('license' in criteria) return licenseLeaf(criteria, context);
  if ('image' in criteria) return imageLeaf(criteria, context);
  return configLeaf(criteria, context);
}
