//! A way to a server that takes its time, as to another building.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// A port that leads to `port`; each word takes `delay` either way. It ends with the tests.
pub(crate) fn way(port: u16, delay: Duration) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let far = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        for near in listener.incoming().flatten() {
            let Ok(there) = TcpStream::connect(("127.0.0.1", port)) else { continue };
            for (from, to) in [(&near, &there), (&there, &near)] {
                let (from, to) = (from.try_clone().expect("a handle"), to.try_clone().expect("a handle"));
                thread::spawn(move || carry(from, to, delay));
            }
        }
    });
    far
}

fn carry(mut from: TcpStream, mut to: TcpStream, delay: Duration) {
    let mut word = vec![0; 65_536];
    while let Ok(length @ 1..) = from.read(&mut word) {
        thread::sleep(delay);
        let sent = word.get(..length).map(|word| to.write_all(word));
        if sent.is_none_or(|sent| sent.is_err()) {
            break;
        }
    }
    // The other direction ends with this one.
    drop(to.shutdown(Shutdown::Both));
    drop(from.shutdown(Shutdown::Both));
}
