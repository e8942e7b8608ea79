import { openApiDocument } from '../../contract/openapi.ts';
import { routes } from '../../contract/routes.ts';
import { openApiShow, versionShow } from '../../contract/system.ts';
import { type BoundRoute, bind } from './bind.ts';

export interface SystemDeps {
  readonly version: string;
  readonly region: string;
  readonly primary: string;
}

export function systemRoutes({ version, region, primary }: SystemDeps): BoundRoute[] {
  return [
    bind(versionShow, () => ({ version, region, primary })),
    bind(openApiShow, () => openApiDocument(routes)),
  ];
}
