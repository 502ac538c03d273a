"""Against a server on this machine that serves small files in the publishers' formats; nothing here leaves the machine."""

import hashlib
import io
import json
import re
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from ase.build import molecule
from scipy.constants import Avogadro, calorie, elementary_charge, physical_constants
from scipy.io import savemat

from course_lib.structures import benchmark, benchmarks, check_labels, check_structures, datasets, load

KCAL = 1000 * calorie / Avogadro / elementary_charge
BOHR = physical_constants["Bohr radius"][0] * 1e10
MODULE = benchmark.__globals__  # the module's name is also that of its function
FACTS = json.loads(MODULE["FACTS"].read_text(encoding="utf-8"))


class Publisher(ThreadingHTTPServer):
    """Serves `files`; `cuts` are the bytes after which the next transfers break off, `asked` what was asked for."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.files, self.cuts, self.asked, self.ranges, self.status = {}, [], [], True, None
        self.url = f"http://127.0.0.1:{self.server_port}/"
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()


class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        name, ranged = self.path[1:], self.headers["Range"]
        self.server.asked.append((name, ranged))
        body, start = self.server.files[name], 0
        if ranged and self.server.ranges:
            start = int(re.fullmatch(r"bytes=(\d+)-", ranged)[1])
        beyond = start and start >= len(body)
        self.send_response(self.server.status or (416 if beyond else 206 if start else 200))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        content = b"" if beyond or self.server.status else body[start:]
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[:self.server.cuts.pop(0)] if self.server.cuts else content)

    def log_message(self, *_):
        pass


@pytest.fixture
def publisher(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_BENCHMARKS", str(tmp_path / "cache"))
    server = Publisher()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def publish(publisher, tmp_path, monkeypatch):
    """Serve these files under the facts as they are, but for address, length, checksum and count."""

    def put(files, sizes=None, pinned=True, **counts):
        facts = json.loads(json.dumps(FACTS))
        for name, content in files.items():
            assert name in facts["files"]
            publisher.files[name] = content
            known = dict(checksum=f"md5:{hashlib.md5(content).hexdigest()}", bytes=len(content))
            facts["files"][name] = dict(url=publisher.url + name, count=counts[name.split(".")[0]]) | (
                known if pinned else dict.fromkeys(known))
        for name in facts["files"].keys() - files.keys():
            facts["files"][name]["url"] = publisher.url + "elsewhere"
        for family in facts["families"].values():
            family["sizes"] = family["sizes"] and sizes
        path = tmp_path / "facts.json"
        path.write_text(json.dumps(facts), encoding="utf-8")
        monkeypatch.setitem(MODULE, "FACTS", path)

    return put


def packed(**arrays):
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


ETHANOL = molecule("CH3CH2OH")


def trajectory(count, seed=0):
    rng = np.random.default_rng(seed)
    return (ETHANOL.positions + rng.normal(scale=0.1, size=(count, 9, 3)), rng.normal(-97000, 5, size=count),
            rng.normal(scale=20, size=(count, 9, 3)))


def md17_file(count=40, kind=np.uint8):
    positions, energies, forces = trajectory(count)
    return packed(z=ETHANOL.numbers.astype(kind), R=positions, E=energies[:, None], F=forces, name=np.array(b"ethanol"),
                  theory=np.array(b"pbe+vdw-ts"), md5=np.array(b"0" * 32), type=np.array(b"d"))


def rmd17_files(count=40, shared=0):
    positions, energies, forces = trajectory(count)
    order = np.random.default_rng(7).permutation(count)
    lines = {"train": order[:10], "test": order[10 - shared:20 - shared]}
    data = packed(nuclear_charges=ETHANOL.numbers.astype(np.uint8), coords=positions, energies=energies, forces=forces,
                  old_indices=np.arange(count), old_energies=energies, old_forces=forces)
    return {"rmd17_ethanol.npz": data} | {f"index_{part}_03.csv": "".join(f"{row}\n" for row in rows).encode()
                                          for part, rows in lines.items()}


RMD17 = dict(rmd17_ethanol=40, index_train_03=10, index_test_03=10)


def qm7_file(folds=None):
    """Ten molecules; the first is row 0 of the publication: methane, −417.96 kcal/mol, in bohr."""
    methane = [[1.886438, -0.00464873, -0.00823921], [3.9499245, -0.00459203, 0.00782347], [1.1976895, 1.9404235, 0.00782347],
               [1.1849339, -0.99726516, 1.6593875], [1.2119532, -0.9589793, -1.710958]]
    positions, charges = np.zeros((10, 23, 3), np.float32), np.zeros((10, 23), np.float32)
    positions[0, :5], charges[0, :5] = methane, [6, 1, 1, 1, 1]
    for row, formula in enumerate(["C2H2", "C2H4", "C2H6", "CH3OH", "H2CO", "CH3SH", "HCN", "CO2", "CH3CH2OH"], 1):
        atoms = molecule(formula)
        positions[row, :len(atoms)], charges[row, :len(atoms)] = atoms.positions / BOHR, atoms.numbers
    file = io.BytesIO()
    rows = np.arange(10).reshape(2, 5).T if folds is None else folds
    savemat(file, dict(X=np.zeros((10, 23, 23), np.float32), R=positions, Z=charges, P=rows,
                       T=np.array([[-417.96, *np.linspace(-1000, -500, 9)]], np.float32)))
    return file.getvalue()


METHANE = """5
gdb 1\t157.7118\t157.70997\t157.70699\t0.\t13.21\t-0.3877\t0.1171\t0.5048\t35.3641\t0.044749\t-40.47893\t-40.476062\
\t-40.475117\t-40.498597\t6.469\t
C\t-0.0126981359\t 1.0858041578\t 0.0080009958\t-0.535689
H\t 2.1504*^-3\t-6.0313176*^-3\t 0.0019761204\t 0.133921
H\t 1.0117308433\t 1.4637511618\t 0.0002765748\t 0.133922
H\t-0.540815069\t 1.4475266138\t-0.8766437152\t 0.133923
H\t-0.5238136345\t 1.4379326443\t 0.9063972942\t 0.133923
1341.307\t1341.3284\t1341.365\t1562.6731\t1562.7453\t3038.3205\t3151.6034\t3151.6788\t3151.7078
C\tC\t
InChI=1S/CH4/h1H4\tInChI=1S/CH4/h1H4
"""


def qm9_files(count=8, bad=(3, 5)):
    """The molecule 1 of the publication, and copies of it under other numbers."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:bz2") as archive:
        for index in range(1, count + 1):
            content = METHANE.replace("gdb 1\t", f"gdb {index}\t").encode()
            member = tarfile.TarInfo(f"dsgdb9nsd_{index:06d}.xyz")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    listed = [*["header, 3054 molecules"] * 9, *(f"    {index}   C1=CC1   C=C=C   1.0" for index in bad), "=" * 20]
    return {"dsgdb9nsd.xyz.tar.bz2": file.getvalue(), "uncharacterized.txt": ("\n".join(listed) + "\n").encode()}


def bpa_file(count, symbols="CCCHCONNHHCHHCCHHCCCHCHCHHH", seed=0):
    rng, text = np.random.default_rng(seed), ""
    for _ in range(count):
        text += (f'{len(symbols)}\nLattice="50.0 0.0 0.0 0.0 50.0 0.0 0.0 0.0 50.0" Properties=species:S:1:pos:R:3:forces:R:3 '
                 f'energy={rng.normal(-17660, 0.2)} dihedrals="_JSON [160.34, 73.35, 28.36]" pbc="F F F"\n')
        for symbol in symbols:
            text += symbol + "".join(f"{value:17.8f}" for value in rng.normal(size=6)) + "\n"
    return text.encode()


BPA = dict(train_300K=5, test_300K=3, test_600K=2, test_1200K=2, test_dih=None)


def bpa_files(**changed):
    return {f"{name}.xyz": bpa_file(count or 4, seed=seed) for seed, (name, count) in enumerate(BPA.items())} | changed


def test_revised_md17_comes_in_ev_with_its_official_split(publish):
    files = rmd17_files()
    publish(files, **RMD17)
    dataset = benchmark("rmd17_ethanol", fold=3)
    assert dataset.card.frames == {"train": 10, "validation": 0, "test": 10}
    positions, energies, forces = trajectory(40)
    for part, label in ((dataset.train, "train"), (dataset.test, "test")):
        rows = [int(line) for line in files[f"index_{label}_03.csv"].split()]
        check_structures(part)
        check_labels(part)
        for atoms, row in zip(part, rows, strict=True):
            assert str(atoms.symbols) == str(ETHANOL.symbols) and not atoms.pbc.any() and atoms.info == {"index": row}
            np.testing.assert_array_equal(atoms.positions, positions[row])
            assert atoms.get_potential_energy() == pytest.approx(energies[row] * KCAL, rel=1e-7)
            np.testing.assert_allclose(atoms.get_forces(), forces[row] * KCAL, rtol=1e-7)
    assert "references: Christensen, von Lilienfeld" in repr(dataset.card) and "split: official split 3" in repr(dataset.card)
    assert dataset.card.title == "Revised MD17: ethanol" and "split 3 of five" in dataset.card.split
    assert dataset.card.sha256 == hashlib.sha256(files["rmd17_ethanol.npz"]).hexdigest()


def test_md17_comes_in_ev_split_at_random_and_always_alike(publish):
    publish({"md17_ethanol.npz": md17_file()}, sizes=[10, 5, 20], md17_ethanol=40)
    first, second = benchmark("md17_ethanol"), benchmark("md17_ethanol")
    rows = [[atoms.info["index"] for atoms in part] for part in (first.train, first.validation, first.test)]
    assert [len(part) for part in rows] == [10, 5, 20] and len(set(sum(rows, []))) == 35
    assert rows[0] == [atoms.info["index"] for atoms in second.train] != sorted(rows[0])
    positions, energies, forces = trajectory(40)
    for atoms in first.test:
        row = atoms.info["index"]
        np.testing.assert_array_equal(atoms.positions, positions[row])
        assert atoms.get_potential_energy() == pytest.approx(energies[row] * KCAL, rel=1e-7)
        np.testing.assert_allclose(atoms.get_forces(), forces[row] * KCAL, rtol=1e-7)


def test_qm7_comes_in_ev_and_angstrom_with_its_folds(publish):
    publish({"qm7.mat": qm7_file()}, qm7=10)
    dataset = benchmark("qm7", fold=2)
    assert [atoms.info["index"] for atoms in dataset.test] == [1, 6]
    assert sorted(atoms.info["index"] for atoms in dataset.train) == [0, 2, 3, 4, 5, 7, 8, 9]
    check_structures(dataset.train + dataset.test)
    methane = next(atoms for atoms in dataset.train if atoms.info["index"] == 0)
    assert str(methane.symbols) == "CH4" and methane.get_potential_energy() == pytest.approx(-417.96 * KCAL, rel=1e-7)
    # the Coulomb matrix published beside it holds 6/r = 2.9076 there, r in bohr
    assert 6 / (methane.get_distance(0, 1) / BOHR) == pytest.approx(2.9076, abs=1e-4)
    assert next(str(atoms.symbols) for atoms in dataset.test if atoms.info["index"] == 6) == str(molecule("CH3SH").symbols)
    tests = [{atoms.info["index"] for atoms in benchmark("qm7", fold=fold).test} for fold in range(1, 6)]
    assert set.union(*tests) == set(range(10)) and sum(map(len, tests)) == 10


def test_qm9_comes_without_the_uncharacterized_and_labelled_as_the_shipped_part_of_it(publish):
    files = qm9_files()
    publish(files, sizes=[3, 2, 1], dsgdb9nsd=8, uncharacterized=2)
    dataset = benchmark("qm9")
    frames = dataset.train + dataset.validation + dataset.test
    assert dataset.card.frames == {"train": 3, "validation": 2, "test": 1}
    assert {atoms.info["index"] for atoms in frames} == {1, 2, 4, 6, 7, 8}
    check_structures(frames)
    shipped = load("qm9_small")
    twin = next(atoms for atoms in shipped.train + shipped.validation + shipped.test if atoms.info["index"] == 1)
    for atoms in frames:
        assert {**atoms.info, "index": 1} == {key: pytest.approx(value) if isinstance(value, float) else value
                                              for key, value in twin.info.items()}
        assert atoms.get_potential_energy() == pytest.approx(twin.get_potential_energy(), abs=1e-6)
        np.testing.assert_allclose(atoms.get_all_distances(), twin.get_all_distances(), atol=1e-4)
        assert atoms.positions[1, :2] == pytest.approx([0.0021504, -0.0060313176], abs=1e-12), "*^ is an exponent"


def test_3bpa_comes_as_published_every_test_file_told_apart(publish):
    publish(bpa_files(), pinned=False, **BPA)
    dataset = benchmark("3bpa_300K")
    check_structures(dataset.train + dataset.test)
    assert len(dataset.train) == 5 and not dataset.validation
    parts = [atoms.info["part"] for atoms in dataset.test]
    assert parts == ["test_300K"] * 3 + ["test_600K"] * 2 + ["test_1200K"] * 2 + ["test_dih"] * 4
    rng = np.random.default_rng(0)
    assert dataset.train[0].get_potential_energy() == pytest.approx(rng.normal(-17660, 0.2), abs=1e-9)
    first = rng.normal(size=6)
    np.testing.assert_allclose([*dataset.train[0].positions[0], *dataset.train[0].get_forces()[0]], first, atol=1e-8)
    assert list(dataset.train[0].info["dihedrals"]) == [160.34, 73.35, 28.36] and not dataset.train[0].pbc.any()


def test_a_benchmark_is_fetched_when_named_and_only_once(publish, publisher):
    publish(rmd17_files(), **RMD17)
    assert not benchmarks().loc["rmd17_ethanol", "here"] and not publisher.asked
    benchmark("rmd17_ethanol", fold=3)
    assert [name for name, _ in publisher.asked] == ["rmd17_ethanol.npz", "index_train_03.csv", "index_test_03.csv"]
    benchmark("rmd17_ethanol", fold=3)
    assert len(publisher.asked) == 3


def test_a_damaged_download_is_refused_and_deleted(publish, publisher, tmp_path):
    publish(rmd17_files(), **RMD17)
    good = publisher.files["rmd17_ethanol.npz"]
    publisher.files["rmd17_ethanol.npz"] = good[:200] + bytes([good[200] ^ 1]) + good[201:]
    with pytest.raises(ValueError, match=r"MD5 hash of downloaded file \(rmd17_ethanol\.npz\) does not match the known hash"):
        benchmark("rmd17_ethanol", fold=3)
    assert not list((tmp_path / "cache/rmd17").iterdir())
    publisher.files["rmd17_ethanol.npz"] = good
    benchmark("rmd17_ethanol", fold=3)


def test_a_file_put_there_by_hand_serves_and_a_damaged_one_is_named_and_left(publish, publisher, tmp_path):
    good = md17_file()
    publish({"md17_ethanol.npz": good}, sizes=[10, 5, 20], md17_ethanol=40)
    path = tmp_path / "cache/md17/md17_ethanol.npz"
    path.parent.mkdir(parents=True)
    for damaged in (good[:-1], good[:500] + b"x" + good[501:]):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"ethanol\.npz is damaged or another version: it has \d+ bytes, sha256:.*delete"):
            benchmark("md17_ethanol")
        assert path.read_bytes() == damaged
    path.write_bytes(good)
    benchmark("md17_ethanol")
    assert not publisher.asked


@pytest.mark.parametrize("pinned", [True, False])
def test_a_transfer_that_breaks_off_goes_on_where_it_stopped(publish, publisher, tmp_path, pinned):
    publish({"md17_ethanol.npz": md17_file(400)}, sizes=[10, 5, 20], pinned=pinned, md17_ethanol=400)
    publisher.cuts = [100_000, 70_000]  # what is kept is whole pieces of 64 KiB
    benchmark("md17_ethanol")
    assert [ranged for _, ranged in publisher.asked] == [None, "bytes=65536-", "bytes=131072-"]
    path = tmp_path / "cache/md17/md17_ethanol.npz"
    assert path.read_bytes() == publisher.files[path.name] and list(path.parent.iterdir()) == [path]


def test_what_came_before_the_network_went_is_kept_for_the_next_call(publish, publisher, tmp_path):
    publish({"md17_ethanol.npz": md17_file(400)}, sizes=[10, 5, 20], md17_ethanol=400)
    publisher.cuts = [100_000, 0]
    with pytest.raises(ConnectionError, match=r"could not be fetched .*what has come is kept"):
        benchmark("md17_ethanol")
    assert [path.name for path in (tmp_path / "cache/md17").iterdir()] == ["md17_ethanol.npz.part"]
    benchmark("md17_ethanol")
    assert publisher.asked[-1] == ("md17_ethanol.npz", "bytes=65536-")


def test_a_server_without_ranges_sends_all_of_it_again(publish, publisher):
    publish({"md17_ethanol.npz": md17_file(400)}, sizes=[10, 5, 20], md17_ethanol=400)
    publisher.ranges, publisher.cuts = False, [100_000]
    benchmark("md17_ethanol")
    assert [ranged for _, ranged in publisher.asked] == [None, "bytes=65536-"]


def test_a_rest_of_another_version_is_refused_and_the_next_call_starts_anew(publish, publisher, tmp_path):
    publish({"md17_ethanol.npz": md17_file()}, sizes=[10, 5, 20], md17_ethanol=40)
    part = tmp_path / "cache/md17/md17_ethanol.npz.part"
    part.parent.mkdir(parents=True)
    for rest, error in ((b"x" * 1000, ValueError), (b"x" * 10**6, ConnectionError)):
        part.write_bytes(rest)
        with pytest.raises(error, match=r"does not match the known hash|answered 416"):
            benchmark("md17_ethanol")
        assert not list(part.parent.iterdir())
    benchmark("md17_ethanol")


def test_a_file_of_another_length_is_refused_and_deleted(publish, publisher, tmp_path):
    publish({"md17_ethanol.npz": md17_file()}, sizes=[10, 5, 20], md17_ethanol=40)
    publisher.files["md17_ethanol.npz"] += b"more"
    with pytest.raises(ValueError, match=r"sent \d+ bytes, \d+ are published"):
        benchmark("md17_ethanol")
    assert not list((tmp_path / "cache/md17").iterdir())


def test_without_a_network_it_says_what_where_and_what_instead(publish, publisher, tmp_path):
    publish(rmd17_files(), **RMD17)
    publisher.shutdown()
    publisher.server_close()
    with pytest.raises(ConnectionError, match=r"benchmark 'rmd17_ethanol': http://127\.0\.0\.1:\d+/rmd17_ethanol\.npz could "
                       r"not be fetched .*put it at .*cache/rmd17/rmd17_ethanol\.npz\. load\('ethanol'\) plays the same part"):
        benchmark("rmd17_ethanol", fold=3)
    assert not list((tmp_path / "cache/rmd17").iterdir())


@pytest.mark.parametrize("status", [202, 403, 404, 500])  # figshare answers programs 202 and nothing on some of its addresses
def test_an_answer_that_is_no_file_is_not_taken_for_one(publish, publisher, tmp_path, status):
    publish({"md17_ethanol.npz": md17_file()}, sizes=[10, 5, 20], pinned=False, md17_ethanol=40)
    publisher.status = status
    with pytest.raises(ConnectionError, match=f"answered {status}"):
        benchmark("md17_ethanol")
    assert not list((tmp_path / "cache/md17").iterdir())


PAGE = b"<html><body>Please log in to the hotel's network</body></html>"
WRONG = {
    "a page for a mat": ("qm7", {"qm7.mat": PAGE}, dict(qm7=10)),
    "folds that overlap": ("qm7", {"qm7.mat": qm7_file(np.zeros((5, 2), int))}, dict(qm7=10)),
    "too few molecules": ("qm7", {"qm7.mat": qm7_file()}, dict(qm7=11)),
    "a page for an archive": ("qm9", qm9_files() | {"dsgdb9nsd.xyz.tar.bz2": PAGE}, dict(dsgdb9nsd=8, uncharacterized=2)),
    "half an archive": ("qm9", qm9_files() | {"dsgdb9nsd.xyz.tar.bz2": qm9_files()["dsgdb9nsd.xyz.tar.bz2"][:200]},
                        dict(dsgdb9nsd=8, uncharacterized=2)),
    "a page for the list": ("qm9", qm9_files() | {"uncharacterized.txt": PAGE}, dict(dsgdb9nsd=8, uncharacterized=2)),
    "too many molecules": ("qm9", qm9_files(count=9), dict(dsgdb9nsd=8, uncharacterized=2)),
    "a page for an npz": ("md17_ethanol", {"md17_ethanol.npz": PAGE}, dict(md17_ethanol=40)),
    "nothing": ("md17_ethanol", {"md17_ethanol.npz": b""}, dict(md17_ethanol=40)),
    "a truncated npz": ("md17_ethanol", {"md17_ethanol.npz": md17_file()[:-300]}, dict(md17_ethanol=40)),
    "other arrays": ("md17_ethanol", {"md17_ethanol.npz": rmd17_files()["rmd17_ethanol.npz"]}, dict(md17_ethanol=40)),
    "too few frames": ("md17_ethanol", {"md17_ethanol.npz": md17_file(39)}, dict(md17_ethanol=40)),
    "a pickle": ("md17_ethanol", {"md17_ethanol.npz": md17_file(kind=object)}, dict(md17_ethanol=40)),
    "parts that overlap": ("rmd17_ethanol", rmd17_files(shared=1), RMD17),
    "rows beyond the end": ("rmd17_ethanol", rmd17_files() | {"index_test_03.csv": b"40\n" * 10}, RMD17),
    "a page for a split": ("rmd17_ethanol", rmd17_files() | {"index_test_03.csv": PAGE}, RMD17),
    "a page for an xyz": ("3bpa_300K", bpa_files(**{"test_dih.xyz": PAGE}), BPA),
    "another molecule": ("3bpa_300K", bpa_files(**{"test_dih.xyz": bpa_file(4, "CCCHCONNHHCHHCCHHCCCHCHCHHF")}), BPA),
    "frames cut off": ("3bpa_300K", bpa_files(**{"test_600K.xyz": bpa_file(1)}), BPA),
    "half a frame": ("3bpa_300K", bpa_files(**{"test_dih.xyz": bpa_file(2)[:-500]}), BPA),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_has_no_checksum_is_refused_by_its_form(publish, case):
    name, files, counts = WRONG[case]
    publish(files, sizes=[3, 2, 1], pinned=False, **counts)
    with pytest.raises(ValueError, match=f"benchmark '{name}': a file in .* is not what its publisher describes .*delete "):
        benchmark(name, fold=3 if name.startswith("rmd17") else 1)


def test_the_one_damaged_byte_of_an_npz_is_found_by_its_crc(publish):
    content = bytearray(md17_file())
    content[2000] ^= 1
    publish({"md17_ethanol.npz": bytes(content)}, sizes=[10, 5, 20], pinned=False, md17_ethanol=40)
    with pytest.raises(ValueError, match="not what its publisher describes"):
        benchmark("md17_ethanol")


def test_a_reader_can_pin_a_file_by_the_checksum_of_its_card(publish, tmp_path):
    publish({"md17_ethanol.npz": md17_file()}, sizes=[10, 5, 20], pinned=False, md17_ethanol=40)
    digest = benchmark("md17_ethanol").card.sha256
    benchmark("md17_ethanol", checksum=f"sha256:{digest}")
    with pytest.raises(ValueError, match="damaged or another version"):
        benchmark("md17_ethanol", checksum=f"sha256:{digest[::-1]}")
    (tmp_path / "cache/md17/md17_ethanol.npz").unlink()
    with pytest.raises(ValueError, match="SHA256 hash of downloaded file"):
        benchmark("md17_ethanol", checksum=f"sha256:{digest[::-1]}")


def test_unknown_names_and_folds_are_answered_before_anything_is_fetched(publisher):
    with pytest.raises(ValueError, match=r"is called 'rmd17_etanol'; did you mean 'rmd17_ethanol'\? There are: qm7, qm9"):
        benchmark("rmd17_etanol")
    for name, fold, count in (("rmd17_ethanol", 6, 5), ("qm7", 0, 5), ("md17_ethanol", 2, 1), ("qm9", "1", 1)):
        message = re.escape(f"'{name}' has {count} official split(s), counted from 1; got fold={fold!r}")
        with pytest.raises(ValueError, match=message):
            benchmark(name, fold=fold)


def test_every_fact_is_complete_and_every_checksum_one():
    table = benchmarks()
    assert len(table) == 22 and set(table["stand-in"]) <= set(datasets().index)
    assert table.loc["rmd17_ethanol", ["frames", "MB", "checksum"]].tolist() == [100000, 67.2, "md5"]
    assert table.loc["md17_ethanol", ["checksum", "MB"]].isna().all()
    for facts in FACTS["families"].values():
        for file in facts["files"]:
            for fold in range(1, facts["folds"] + 1):
                assert all(file.format(member=member, fold=fold) in FACTS["files"] for member in facts["members"])
        assert {"positions", "energy"} <= set(facts["card"]["units"])
    for name, file in FACTS["files"].items():
        kind, _, digest = (file["checksum"] or "sha256:" + "0" * 64).partition(":")
        assert re.fullmatch(r"[0-9a-f]+", digest) and len(digest) == {"md5": 32, "sha256": 64}[kind], name
        assert file["url"].startswith(("https://", "http://quantum-machine.org/", "http://www.quantum-machine.org/"))
