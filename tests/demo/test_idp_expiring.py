"""What the provider remembers stays small."""

from rolecall.demo.idp.devices import Devices
from rolecall.demo.idp.expiring import Expiring
from rolecall.demo.idp.lifetimes import Lifetimes


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_oldest_makes_room():
    memory: Expiring[str] = Expiring(keep=60, clock=Clock(), limit=2)
    for name in "abc":
        memory.put(name, name)
    assert [memory.get(name) for name in "abc"] == [None, "b", "c"]
    assert len(memory) == 2


def test_records_expire():
    clock = Clock()
    memory: Expiring[str] = Expiring(keep=60, clock=clock)
    memory.put("a", "a")
    clock.now = 59
    assert memory.get("a") == "a"
    clock.now = 60
    assert memory.get("a") is None
    assert len(memory) == 0


def test_a_record_is_taken_once():
    memory: Expiring[str] = Expiring(keep=60, clock=Clock())
    memory.put("a", "a")
    assert memory.take("a") == "a"
    assert memory.take("a") is None


def test_devices_are_bounded():
    devices = Devices(Lifetimes(), Clock())
    for number in range(1500):
        devices.add(f"device-{number}", f"user-{number}", "client", "")
    assert len(devices) == 1000
    assert devices.find("device-0") is None
    assert devices.waiting("user-0") is None
    assert devices.waiting("USER 1499") is not None


def test_the_first_decision_holds():
    devices = Devices(Lifetimes(), Clock())
    devices.add("device", "USER", "client", "")
    device = devices.find("device")
    assert device is not None
    devices.decide(device, None)
    assert device.decided
    assert devices.waiting("user") is None
