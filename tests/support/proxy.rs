//! HAProxy and nginx as child processes, with the configurations of `examples/proxies` at other addresses.

use super::{eventually, Client, Folder};
use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

/// The address that the configurations listen on, and the addresses of their servers.
const PROXY_ADDRESS: &str = "127.0.0.1:8000";
const SERVER_ADDRESSES: [&str; 3] = ["127.0.0.1:8081", "127.0.0.1:8082", "127.0.0.1:8083"];

/// A proxy as a child process, which is killed when dropped.
pub struct Proxy {
    child: Child,
    pub address: SocketAddr,
    folder: Folder,
}

impl Proxy {
    pub fn haproxy(configuration: &str, servers: &[SocketAddr]) -> Proxy {
        let address = free_address();
        let folder = Folder::new(&format!("haproxy-{}", address.port()));
        let file = folder.file("haproxy.cfg", with_addresses(configuration, address, servers));
        let mut command = Command::new("haproxy");
        command.args(["-db", "-f", &file]);
        Proxy::start(command, address, folder)
    }

    pub fn nginx(configuration: &str, servers: &[SocketAddr]) -> Proxy {
        let address = free_address();
        let folder = Folder::new(&format!("nginx-{}", address.port()));
        let path = folder.0.to_str().unwrap();
        let text = with_addresses(configuration, address, servers);
        let file = folder.file("nginx.conf", text.replace("http {\n", &nginx_paths(path)));
        // As a single process, because a worker outlives a master that is killed.
        let alone = format!("daemon off; master_process off; pid {path}/pid;");
        let mut command = Command::new("nginx");
        command.args(["-p", path, "-c", &file, "-e", "stderr", "-g", &alone]);
        Proxy::start(command, address, folder)
    }

    fn start(mut command: Command, address: SocketAddr, folder: Folder) -> Proxy {
        let log = File::create(folder.0.join("log")).unwrap();
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let mut proxy = Proxy { child: command.spawn().unwrap(), address, folder };
        eventually(|| proxy.is_listening(), |is_listening| *is_listening);
        proxy
    }

    fn is_listening(&mut self) -> bool {
        let ended = self.child.try_wait().unwrap();
        assert!(ended.is_none(), "{}", fs::read_to_string(self.folder.0.join("log")).unwrap());
        TcpStream::connect(self.address).is_ok()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The head of the response to a request.
    pub fn get(&self, path: &str) -> String {
        Client::connect(self.address).get(path, "").read_head()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address that nothing listens on.
pub fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// A configuration with these addresses in place of those in the file.
fn with_addresses(configuration: &str, proxy: SocketAddr, servers: &[SocketAddr]) -> String {
    let mut text = configuration.to_owned();
    let new = [&proxy].into_iter().chain(servers);
    for (old, new) in [PROXY_ADDRESS].iter().chain(&SERVER_ADDRESSES).zip(new) {
        assert_eq!(text.matches(old).count(), 1, "{old}");
        text = text.replace(old, &new.to_string());
    }
    text
}

/// The opening of `http`, with temporary files in a folder that needs no permission.
fn nginx_paths(folder: &str) -> String {
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let paths = temporary.map(|name| format!("{name}_temp_path {folder}/{name};\n"));
    format!("http {{\naccess_log off;\n{}", paths.concat())
}
