# Ruby, its default and bundled gems, and gems as packages of Debian.
from debian-minbase
install ruby ruby-rack ruby-sinatra ruby-nokogiri ruby-activerecord ruby-loofah
layer 'apt-get install ruby ruby-rack ruby-sinatra ruby-nokogiri ruby-activerecord ruby-loofah'
config --config.cmd irb
