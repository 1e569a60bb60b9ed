# SPDX-License-Identifier: Apache-2.0
"""ROS 2 package humanoid_booth (ament_python)."""

from glob import glob

from setuptools import setup

PACKAGE = "humanoid_booth"
EXPORT = ["av>=15", "dask>=2025.1", "distributed>=2025.1", "pyarrow>=17"]
JPEG = ["simplejpeg>=1.7"]
LIBRARY = ["fsspec>=2024.6"]
PAGE = ["aiohttp>=3.10", "segno>=1.6", "viser>=1.0"]

setup(
    name=PACKAGE,
    version="0.1.0",
    packages=[
        "teleop",
        "drivers",
        "recorder",
        "robots",
        "graph",
        "booth",
        "booth.page",
        "booth.session",
        "bench",
        "clips",
        "studio",
    ],
    package_data={
        "graph": ["*.xml"],
        "robots": ["*.yaml", "*.urdf"],
        "booth.page": ["static/*", "languages/*.json"],
        "clips": ["operator_hand.mp4", "operator_hand.npz"],
        "studio": ["scripts/*.yaml", "standard_set.yaml"],
    },
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{PACKAGE}"]),
        (f"share/{PACKAGE}", ["package.xml"]),
        (f"share/{PACKAGE}/launch", sorted(glob("launch/*.launch.py"))),
        (f"share/{PACKAGE}/config", sorted(glob("config/*.yaml") + glob("config/*.rules") + glob("graph/*.xml"))),
        (f"share/{PACKAGE}/config/sros2", ["config/sros2/policy.xml"]),
        (f"share/{PACKAGE}/robots", sorted(glob("robots/*.yaml") + glob("robots/*.urdf"))),
    ],
    python_requires=">=3.11",
    install_requires=[
        "dynamixel-sdk>=4.1.0",
        "fastcrc>=0.5",
        "h5py>=3.10",
        "matplotlib>=3.8",
        "mcap>=1.2",
        "mediapipe>=1.2",
        "numba>=0.61",
        "numpy>=1.26",
        "opencv-contrib-python>=4.10",
        "pillow>=10.0",
        "pydantic>=2.8",
        "pyserial>=3.5",
        "PyYAML>=6.0",
        "pyzmq>=26",
        "rosbags>=0.10",
        "ruckig>=0.14",
    ],
    extras_require={
        "ros": [
            "ros-rclpy[fastrtps]==7.1.6",
            "ros-diagnostic-msgs==5.3.6",
            "ros-sensor-msgs==5.3.6",
            "ros-std-msgs==5.3.6",
            "ros-std-srvs==5.3.6",
            "ros-trajectory-msgs==5.3.6",
        ],
        "export": EXPORT,
        "jpeg": JPEG,
        "library": LIBRARY,
        "page": PAGE,
        "view": ["rerun-sdk>=0.24"],
        "test": [
            *EXPORT,
            *JPEG,
            *LIBRARY,
            *PAGE,
            "hypothesis>=6.100",
            "mypy==2.4.1",
            "playwright>=1.48",
            "pytest>=8",
            "pytest-timeout>=2.3",
            "pytest-xdist>=3.6",
            "ruff==0.17.5",
        ],
    },
    zip_safe=False,
    maintainer="humanoid_booth maintainers",
    maintainer_email="maintainers@users.noreply.github.com",
    description="Camera-only teleoperation of ROBOTIS humanoids and time-honest HDF5 episodes",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "booth = booth.cli:main",
            "page = booth.page.page_node:main",
            "pedal = teleop.pedal_node:main",
            "driver = drivers.driver_node:main",
            "recorder = recorder.recorder_node:main",
            "replay = recorder.replay_node:main",
            "teleop = teleop.teleop_node:main",
            "tracker = teleop.tracker_node:main",
        ]
    },
)
