/**
 * Documentation and tests of software that others published: what looks like a secret there is in everybody's copy of
 * it. What an image's owner wrote is never left out, whatever its folder is called.
 */
const documentation = /^(?:usr\/(?:local\/)?share\/(?:doc|doc-base|man|info|help|gtk-doc|licenses|locale)\/)/;

const packages =
  /(?:^|\/)(?:node_modules|site-packages|dist-packages|gems|vendor\/bundle|pkg\/mod|\.cargo\/registry|\.m2\/repository)\/|^usr\/(?:local\/)?(?:lib|lib64|libexec|share|include|src)\/|^opt\/(?:java|conda|venv)\//;

const aside =
  /\/(?:tests?|testing|test[-_]?data|__tests__|specs?|fixtures?|examples?|samples?|demos?|docs?|mocks?|__mocks__|benchmarks?|man)\/|\/(?:test_[^/]*|[^/]*[._-](?:tests?|spec|example|sample)\.[a-z0-9]{1,5})$|\.(?:md|markdown|rst|adoc|html?|1|3|5|7|8|pod|rdoc|d\.ts)$|\/(?:readme|changelog|changes|history|news|pkg-info$|metadata$)[^/]*$/i;

export function isPublished(path: string): boolean {
  return documentation.test(path) || (packages.test(path) && aside.test(path));
}
