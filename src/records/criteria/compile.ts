import type {
  AdvisoryCriteria,
  ConfigCriteria,
  FileCriteria,
  LicenseCriteria,
  PackageCriteria,
  SecretCriteria,
} from '../../criteria/criteria.ts';
import type { Database } from '../db/database.ts';
import { advisoryLeaf } from './advisory.ts';
import { configLeaf } from './config.ts';
import { fileLeaf } from './file.ts';
import type { ImageScope, Leaf } from './leaf.ts';
import { licenseLeaf } from './license.ts';
import { packageLeaf } from './package.ts';
import { secretLeaf } from './secret.ts';

export type LeafCriteria =
  | PackageCriteria
  | AdvisoryCriteria
  | FileCriteria
  | SecretCriteria
  | ConfigCriteria
  | LicenseCriteria;

/** The one list of kinds. @throws invalid */
export async function compileLeaf(
  database: Database,
  criteria: LeafCriteria,
  scope: ImageScope,
): Promise<Leaf> {
  if ('package' in criteria) return packageLeaf(database.read, criteria, scope);
  if ('advisory' in criteria) return advisoryLeaf(database.read, criteria, scope);
  if ('file' in criteria) return fileLeaf(database, criteria, scope);
  if ('secret' in criteria) return secretLeaf(database, criteria, scope);
  if ('license' in criteria) return licenseLeaf(database, criteria, scope);
  return configLeaf(database, criteria, scope);
}
