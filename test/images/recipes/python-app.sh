# Debian's Python packages (dist-info and egg-info), and wheels that were unpacked into a folder.
from debian-minbase

install python3 python3-django python3-requests python3-yaml python3-jinja2 python3-cryptography
layer 'apt-get install python3 python3-django python3-requests python3-yaml python3-jinja2 python3-cryptography'

mkdir -p "$root/app/site-packages"
package=$(npm_package @jupyterlite/pyodide-kernel@0.2.3)
find "$package" -name '*.whl' -exec unzip -q -o {} -d "$root/app/site-packages" \;
layer 'COPY wheels'
config --config.cmd python3
