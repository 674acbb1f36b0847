"""Who the pods are to Kubernetes."""

from tests.helm.rendering import ci, merged, render


def test_only_pipelines_get_a_token_by_default() -> None:
    tokens = {
        it["metadata"]["name"]: it["automountServiceAccountToken"]
        for it in render(ci("minimal"), "service-accounts.yaml")
    }
    assert tokens == {"twinstack-pipelines": True, "twinstack-serving": False, "twinstack-console": False}


def test_their_names_are_those_of_the_configuration() -> None:
    own = {"config": {"cluster": {"service_accounts": {"serving": "fronts"}}}}
    values = merged(ci("minimal"), own)
    assert "fronts" in {it["metadata"]["name"] for it in render(values, "service-accounts.yaml")}
    (front,) = render(values, "front.yaml")
    assert front["spec"]["predictor"]["serviceAccountName"] == "fronts"


def test_predictors_find_the_keys_of_the_object_storage_by_their_account() -> None:
    made = render(ci("minimal", serviceAccounts={"storageSecrets": ["s3-keys"]}), "service-accounts.yaml")
    named = {it["metadata"]["name"]: it.get("secrets") for it in made}
    assert named["twinstack-serving"] == [{"name": "s3-keys"}]
    assert named["twinstack-console"] is named["twinstack-pipelines"] is None


def test_annotations_carry_a_workload_identity() -> None:
    annotations = {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/twinstack"}
    made = render(ci("minimal", serviceAccounts={"annotations": annotations}), "service-accounts.yaml")
    assert [it["metadata"]["annotations"] for it in made] == [annotations] * 3


def test_what_others_put_beside_our_containers_is_pulled_with_the_same_secrets() -> None:
    made = render(ci("production-gpu"), "service-accounts.yaml")
    assert [it["imagePullSecrets"] for it in made] == [[{"name": "registry-pull"}]] * 3
