# Debian's Node.js and an application with old packages, installed by npm.
from debian-minbase

install nodejs
layer 'apt-get install nodejs'

mkdir "$root/app"
cat >"$root/app/package.json" <<'JSON'
{
  "name": "node-app",
  "version": "1.0.0",
  "license": "MIT",
  "private": true,
  "dependencies": {
    "@babel/traverse": "7.20.0",
    "axios": "0.21.0",
    "event-stream": "4.0.1",
    "express": "4.16.0",
    "handlebars": "4.5.2",
    "jquery": "3.4.1",
    "jsonwebtoken": "8.5.1",
    "lodash": "4.17.20",
    "marked": "0.3.6",
    "minimist": "0.0.8",
    "node-fetch": "2.6.0",
    "ua-parser-js": "0.7.28"
  }
}
JSON
echo "require('express')().listen(3000)" >"$root/app/index.js"
(cd "$root/app" && npm install --silent --ignore-scripts --no-audit --no-fund --omit=dev >/dev/null)
layer 'COPY app; RUN npm install'
config --config.workingdir /app --config.cmd node --config.cmd index.js
