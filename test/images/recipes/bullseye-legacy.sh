# Debian 11 as it was released last, without its security archive: several hundred known defects.
debian bullseye
install openssl curl libxml2 sudo git openssh-client python3 ruby-rack perl vim-tiny
layer 'apt-get install openssl curl libxml2 sudo git openssh-client python3 ruby-rack perl vim-tiny'
config --config.cmd bash --os linux --architecture amd64
