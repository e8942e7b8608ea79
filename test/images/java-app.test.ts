import { describeRealImage } from './real-image.ts';
import { sameFindings } from './same-findings.ts';
import { type Explained, sameAsInside } from './same-inside.ts';

const asm = ['asm', 'asm-all', 'asm-analysis', 'asm-commons', 'asm-tree', 'asm-util'];

const explained: readonly Explained[] = [
  ...asm.map((name) => ({
    said: `maven org.ow2.asm:${name} 9.4 usr/share/java/${name}-9.4.jar`,
    listed: `generic ${name} 9.4 usr/share/java/${name}-9.4.jar`,
    because:
      'the group was another before version 4, and nothing in the jar tells which; only a link of Debian does',
  })),
  {
    said: 'maven javax.inject:javax.inject 1 usr/share/java/atinject-jsr330-api-1.0.jar',
    listed: 'generic atinject-jsr330-api 1.0 usr/share/java/atinject-jsr330-api-1.0.jar',
    because: 'Debian gave it a name and a version of its own; only the link tells what it is',
  },
  {
    said: 'generic h2 1.4.200 opt/liquibase/lib/h2-1.4.200.jar',
    listed: 'maven com.h2database:h2 1.4.200 opt/liquibase/lib/h2-1.4.200.jar',
    because: 'the jar does not say its group, which is known by its name',
  },
  {
    said: 'generic jcommander 1.78 opt/allure/lib/jcommander-1.78.jar',
    listed: 'maven com.beust:jcommander 1.78 opt/allure/lib/jcommander-1.78.jar',
    because: 'the jar does not say its group, which is known by its name',
  },
  {
    said: 'generic freemarker 2.3.29.stable opt/allure/lib/freemarker-2.3.29.jar',
    listed: 'maven org.freemarker:freemarker 2.3.29 opt/allure/lib/freemarker-2.3.29.jar',
    because: 'its manifest has two versions, of which the file has the one that Maven Central has',
  },
  {
    listed:
      'generic selenium-server-standalone 3.141.59 opt/selenium/selenium-server-standalone-3.141.59.jar',
    because: 'packed from sixteen others, it has only their poms; the seventeenth package is the jar itself',
  },
];

describeRealImage({ name: 'java-app' }, (image) => {
  sameAsInside(image, explained);
  sameFindings(image, ['Debian:12', 'Maven'], { packages: explained });
});
