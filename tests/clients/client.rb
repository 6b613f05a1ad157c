# Net::HTTP: HOST PATH BODY-FILE COUNT requests on one connection.
require "net/http"
require "uri"

host, path, file, count = ARGV
body = File.binread(file)
proxy = URI(ENV.fetch("HTTPS_PROXY", "")) if ENV.key?("HTTPS_PROXY")
http = Net::HTTP.new(host, 443, proxy&.host, proxy&.port)
http.use_ssl = true
http.start do |connection|
  Integer(count).times do
    response = connection.post(path, body, "Content-Type" => "application/json")
    raise "status #{response.code}" unless response.code == "200"
  end
end
