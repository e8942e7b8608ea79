# Three layers. The last takes away what the others brought, whole folders and one file, and has secrets in it.
from debian-minbase

install nginx-light openssl curl ca-certificates
layer 'apt-get install nginx-light openssl curl ca-certificates'

rm -rf "$root/usr/share/nginx/html" "$root/usr/share/man" "$root/etc/nginx/sites-enabled/default"
mkdir -p "$root/srv/www" "$root/root/.aws"
echo '<h1>hello</h1>' >"$root/srv/www/index.html"
echo 'server { listen 8080; root /srv/www; }' >"$root/etc/nginx/conf.d/app.conf"
# The pair that AWS prints in its documentation, and two that nobody else has.
cat >"$root/root/.aws/credentials" <<'KEYS'
[default]
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
KEYS
chroot "$root" openssl genrsa -traditional 2048 >"$root/srv/server.key" 2>/dev/null
layer 'COPY site; RUN rm -rf /usr/share/man'

config --config.entrypoint nginx --config.cmd -g --config.cmd 'daemon off;' --config.exposedports 8080/tcp \
  --config.label org.opencontainers.image.title=debian-nginx --config.label org.opencontainers.image.licenses=MIT
