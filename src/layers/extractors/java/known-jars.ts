/**
 * Jars whose builds (Gradle's, Ant's) leave no pom in them, by the name of their file: what Maven Central, and
 * so the advisories, call them. Only names that mean one project.
 */
export function knownJar(name: string): string | undefined {
  if (ownGroup.test(name)) return `${name}:${name}`;
  const group = groups.find(({ pattern }) => pattern.test(name))?.group;
  return known.get(name) ?? (group === undefined ? undefined : `${group}:${name}`);
}

const groups: readonly { readonly pattern: RegExp; readonly group: string }[] = [
  {
    pattern:
      /^spring-(?:aop|aspects|beans|context|context-support|core|expression|jcl|jdbc|jms|messaging|orm|oxm|test|tx|web|webflux|webmvc|websocket)$/,
    group: 'org.springframework',
  },
  {
    pattern: /^spring-security-(?:acl|cas|config|core|crypto|ldap|messaging|oauth2-[a-z-]+|web)$/,
    group: 'org.springframework.security',
  },
  {
    pattern: /^spring-boot(?:-[a-z]+)*$/,
    group: 'org.springframework.boot',
  },
  { pattern: /^spring-data-(?:commons|jpa|keyvalue|rest-core)$/, group: 'org.springframework.data' },
  { pattern: /^hibernate-(?:core|entitymanager|envers)$/, group: 'org.hibernate' },
  { pattern: /^lucene-[a-z-]+$/, group: 'org.apache.lucene' },
  { pattern: /^kotlin-(?:stdlib|reflect)(?:-[a-z0-9]+)?$/, group: 'org.jetbrains.kotlin' },
  {
    pattern: /^(?:mongo-java-driver|mongodb-driver(?:-(?:async|core|legacy|reactivestreams|sync))?)$/,
    group: 'org.mongodb',
  },
  { pattern: /^commons-logging-(?:adapters|api)$/, group: 'commons-logging' },
  { pattern: /^tomcat-embed-[a-z]+$/, group: 'org.apache.tomcat.embed' },
  { pattern: /^(?:bcprov|bcpkix|bcpg|bcmail)-[a-z0-9]+$/, group: 'org.bouncycastle' },
];

/** Whose group has the name of the artifact. */
const ownGroup =
  /^(?:commons-(?:beanutils|codec|collections|configuration|dbcp|digester|fileupload|httpclient|io|jxpath|lang|logging|net|pool|validator)|log4j|dom4j|velocity|xalan|axis)$/;

const known: ReadonlyMap<string, string> = new Map([
  ['activemq-all', 'org.apache.activemq:activemq-all'],
  ['catalina', 'org.apache.tomcat:tomcat-catalina'],
  ['elasticsearch', 'org.elasticsearch:elasticsearch'],
  ['freemarker', 'org.freemarker:freemarker'],
  ['groovy-all', 'org.codehaus.groovy:groovy-all'],
  ['h2', 'com.h2database:h2'],
  ['hsqldb', 'org.hsqldb:hsqldb'],
  ['jcommander', 'com.beust:jcommander'],
  ['jruby', 'org.jruby:jruby'],
  // Debian's.
  ['log4j-1.2', 'log4j:log4j'],
  ['kafka-clients', 'org.apache.kafka:kafka-clients'],
  ['mysql-connector-java', 'mysql:mysql-connector-java'],
  ['okhttp', 'com.squareup.okhttp3:okhttp'],
  ['postgresql', 'org.postgresql:postgresql'],
  ['reactor-netty-http', 'io.projectreactor.netty:reactor-netty-http'],
  ['struts2-core', 'org.apache.struts:struts2-core'],
  ['tomcat-coyote', 'org.apache.tomcat:tomcat-coyote'],
  ['xercesImpl', 'xerces:xercesImpl'],
]);
