# A receiver in Ruby's own web server: ruby webrick_app.rb PORT
require 'json'
require 'openssl'
require 'webrick'

server = WEBrick::HTTPServer.new(BindAddress: '127.0.0.1', Port: ARGV[0].to_i, AccessLog: [], Logger: WEBrick::Log.new($stderr, 1))

server.mount_proc '/hook' do |request, response|
  secret = File.read(ENV.fetch('SECRET_FILE')).strip
  expected = "sha256=#{OpenSSL::HMAC.hexdigest('SHA256', secret, request.body)}"
  if OpenSSL.secure_compare(expected, request['X-GudDesk-Signature'].to_s)
    response.body = "verified #{JSON.parse(request.body)['event']}"
  else
    response.status = 401
    response.body = 'not signed'
  end
end

server.mount_proc('/crash') { raise 'a fault of the receiver' }

trap('TERM') { server.shutdown }
server.start
