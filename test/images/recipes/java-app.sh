# Old jars: of two programs that npm has (log4j 1.2, commons-text 1.3, jackson-databind 2.9, h2, snakeyaml), an uber-jar, and
# Debian's own, which are links to each other.
from debian-minbase

mkdir -p "$root/opt/selenium"
cp -a "$(npm_package allure-commandline@2.13.8)/dist" "$root/opt/allure"
layer 'COPY allure 2.13.8'

cp -a "$(npm_package liquibase@4.3.5)/dist/liquibase" "$root/opt/liquibase"
cp "$(npm_package selenium-server@3.141.59)"/lib/runner/*.jar "$root/opt/selenium/"
layer 'COPY liquibase 4.3.5, selenium-server-standalone 3.141.59'

install liblog4j1.2-java liblog4j2-java libspring-core-java libspring-web-java libcommons-fileupload-java
layer 'apt-get install liblog4j1.2-java liblog4j2-java libspring-core-java libspring-web-java libcommons-fileupload-java'
config --config.cmd bash
