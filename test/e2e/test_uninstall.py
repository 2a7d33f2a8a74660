"""`helm uninstall` leaves running Pods working and nothing of ours in the way of new ones."""
import objects
from installation import RELEASE
from test_following import Load
import kube


def test_uninstall_leaves_running_pods_working_and_nothing_in_the_way_of_new_ones(namespace, operator, cluster):
    namespace.apply(*objects.redis_set(), objects.policy())
    namespace.wait_rollout("statefulset/redis-st", 60)
    namespace.wait_policy("redis")
    namespace.apply(objects.pod())
    namespace.wait_ready("app")
    with Load(namespace) as load:
        kube.wait("load runs", lambda: load.so_far()["operations"] > 100)
        operator.uninstall()
        at = load.so_far()["operations"]
        kube.wait("load goes on", lambda: load.so_far()["operations"] > at + 500)
        seen = load.end()
    assert (seen["errors"], seen["reconnects"]) == (0, 0), seen

    namespace.apply(objects.pod("asking"))
    assert not objects.ambassador(namespace.wait_ready("asking"))
    left = cluster("get", "mutatingwebhookconfigurations,validatingwebhookconfigurations,validatingadmissionpolicies,"
                   "validatingadmissionpolicybindings,clusterroles,clusterrolebindings", "--output", "name",
                   "--selector", f"app.kubernetes.io/instance={RELEASE}")
    assert left == ""
    assert cluster.within("ambassador-system").run("get", "deployment", RELEASE).returncode != 0
    # The CRDs stay, and with them every policy; a second installation takes them over.
    assert namespace.get("ambassadorpolicy", "redis")
    namespace.delete("pod", "app")
    namespace.delete("ambassadorpolicy", "redis")


def test_installed_again_it_injects_again(namespace, operator):
    operator.install()
    namespace.apply(*objects.redis_set(), objects.policy())
    namespace.wait_policy("redis")
    namespace.apply(objects.pod())
    assert objects.ambassador(namespace.wait_ready("app"))
